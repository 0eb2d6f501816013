"""PyTorch's models: what they did, operation by operation, and every operation once more in float64.

Imported only when somebody brings one.
"""
