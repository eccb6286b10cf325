"""The pools of variants that run: those of serve_config.yaml, those declared beside the settings,
and those that active plans name."""
