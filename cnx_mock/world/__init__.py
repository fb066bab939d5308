"""What a sandbox remembers: its clock, its random draws, its records and its ledger."""
