"""How well files find the models that fit them: leave one set out, and sets of other domains."""
