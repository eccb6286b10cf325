"""Whether a reference fits a file whose columns were matched, and how much its models count."""
