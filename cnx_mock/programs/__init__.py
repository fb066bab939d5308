"""Other people's programs: the environment that leads them to a server, and how they are run."""
