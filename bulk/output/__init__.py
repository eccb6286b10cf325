"""What a job hands out."""
