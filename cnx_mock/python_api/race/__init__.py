"""Two functions at once in one world: `Sandbox.race`."""
