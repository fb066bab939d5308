"""The pytest plugin: fixtures, options, the egress guard and `--cnx-sweep`."""
