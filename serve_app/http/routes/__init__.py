"""The routes besides decisions."""
