"""The apps that Quorum is compared with. They do the same work on the same data and models."""
