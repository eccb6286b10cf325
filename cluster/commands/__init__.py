"""The commands of `quorum`, one module a noun."""
