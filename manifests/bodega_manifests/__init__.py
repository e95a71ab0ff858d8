"""The manifests of the first-party addons: the dependency graph of the house."""
