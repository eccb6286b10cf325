"""Data: where payments come from (files, the generator) and how training reads them back."""
