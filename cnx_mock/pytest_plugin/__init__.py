"""The pytest plugin: fixtures, options, reports, the egress guard and `--cnx-sweep`."""
