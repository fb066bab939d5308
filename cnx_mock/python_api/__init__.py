"""The mock in Python: `MockServer`, `Sandbox`, and the handles with which a test controls and inspects a sandbox."""
