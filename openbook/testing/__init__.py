"""What the tests believe: operations in as many digits as it takes, samples, and mistakes planted to be found.

Nothing in openbook imports this; it is used by tests only, and needs mpmath.
"""
