"""Settings from the environment, and configuration files in TOML."""
