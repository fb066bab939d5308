"""`python -m cnx_mock` is `cnx-mock`."""

from cnx_mock.faces.cli import main

main()
