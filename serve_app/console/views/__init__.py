"""What pages show: jobs, matches and summaries in plain words, and pictures."""
