"""scikit-learn's models, a file for each family; loaded when a model of that family is asked about."""
