"""Two programs at once in one world: under every order of their calls that may matter."""
