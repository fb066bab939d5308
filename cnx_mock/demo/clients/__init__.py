"""The programs of the demo, each run as a process of its own. They need Python's standard library and nothing else."""
