"""Models and tables in files, brought together for the command line."""
