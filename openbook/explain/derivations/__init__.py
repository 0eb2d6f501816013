"""Lines that follow from each other: derivatives by named rules, each line proved and held against random points."""
