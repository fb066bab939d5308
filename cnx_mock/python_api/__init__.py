"""The mock in Python: `MockServer`, `Sandbox`, and the handles through which a test steers and inspects one."""
