"""`python -m cnx_mock` is `cnx-mock`."""

from cnx_mock.cli.main import main

main()
