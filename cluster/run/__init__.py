"""Starting and stopping a whole Quorum, and its first models and history."""
