"""`python -m cnx_mock` is `cnx-mock`."""

from cnx_mock.cli.entry import main

main()
