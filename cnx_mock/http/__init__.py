"""How a call travels: from the socket through the order of checks and back."""
