"""One row through a fitted model: what a score is made of, and how it becomes a probability or a call."""
