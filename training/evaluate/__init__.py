"""The evaluation of a training run on later payments: figures, pictures and the report page."""
