"""Which variants are asked about which rows. One kind of plan a file."""
