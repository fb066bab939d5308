"""What goes wrong: scenario files, their rules, and the faults that the rules inject."""
