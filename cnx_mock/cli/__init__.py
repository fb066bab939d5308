"""The command `cnx-mock`: one file for each command, loaded only when it is called."""
