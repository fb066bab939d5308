"""Reports of a sweep: for a terminal, as JSON, as HTML and as JUnit XML."""
