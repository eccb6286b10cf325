"""From the scores of several models to one probability and a level."""
