"""The demo: clients that do the same work side by side while something goes wrong, and what it costs them."""
