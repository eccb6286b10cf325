"""The decision log on disk: segments of frames, claimed by one writer."""
