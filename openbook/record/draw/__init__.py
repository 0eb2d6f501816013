"""What a working looks like: one file for each form; none of them computes anything."""
