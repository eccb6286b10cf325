"""The payment: its fields, their limits, and n of them as a micro-batch."""
