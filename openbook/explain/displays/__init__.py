"""Plots that belong to workings: each holds its data and has `plot(ax=None)`; matplotlib is loaded when one is drawn."""
