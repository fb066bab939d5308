"""Reading text: YAML with file:line:col, units, suggestions, and the YAML files that come with the package."""
