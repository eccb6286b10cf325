"""Files of payments, read chunk by chunk."""
