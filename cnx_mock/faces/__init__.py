"""How people use it: in Python, on the command line, in pytest. Nobody imports faces."""
