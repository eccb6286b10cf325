"""The capacity model: what a load needs, from measured constants; see docs/scaling.md."""
