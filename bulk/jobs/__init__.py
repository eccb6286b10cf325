"""Jobs: their states, options and files, and the table that holds them."""
