"""A sweep as people and programs read it, one file each form."""
