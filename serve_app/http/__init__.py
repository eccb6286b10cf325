"""HTTP: requests in, answers and problem documents out."""
