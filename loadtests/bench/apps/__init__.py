"""What Quorum is compared with: apps that do the same work on the same data and models."""
