"""The first-party editions: one TOML file each."""
