"""Settings, and TOML files that are read into models with errors that name the key."""
