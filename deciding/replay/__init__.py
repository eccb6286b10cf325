"""A recorded decision made again and compared."""
