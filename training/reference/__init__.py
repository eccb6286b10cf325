"""What a training leaves for files that nobody labelled: a reference of its data and models."""
