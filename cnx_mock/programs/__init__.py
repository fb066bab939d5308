"""Programs of users: the environment variables with which they find a server, and how they are run."""
