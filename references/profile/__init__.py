"""What the columns of a table look like: kinds, missing values, quantiles, categories, patterns."""
