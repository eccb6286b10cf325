"""Fitted models in the artifact store and in MLflow."""
