"""Suites that every implementation of a protocol passes, the fake and the real one alike."""
