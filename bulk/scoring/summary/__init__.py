"""What a finished job tells about its file."""
