"""The Ray node of this machine: its environment, start, stop, and the roll-out to it."""
