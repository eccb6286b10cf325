"""The types on the wire, and decisions written as them."""
