"""What a sandbox remembers: its clock, its chance, its records and its bill. Imports only `text`."""
