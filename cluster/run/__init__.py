"""Starting, watching and stopping a whole Quorum, and making its first history and models."""
