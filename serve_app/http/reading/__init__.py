"""Reading requests: bodies and queries into columns, with every fault in them."""
