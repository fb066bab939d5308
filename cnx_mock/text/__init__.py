"""How words are read: YAML with positions, units, suggestions and the shipped files."""
