"""The programs of the demo, each run as a separate process. They need Python's standard library and nothing else."""
