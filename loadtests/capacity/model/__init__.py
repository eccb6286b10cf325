"""Needs of a load, in closed form."""
