"""Reading requests: bodies and queries into columns, or every fault in them."""
