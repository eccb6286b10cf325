"""The steward: it takes out arms that leave their guard rails, and moves canaries step by step."""
