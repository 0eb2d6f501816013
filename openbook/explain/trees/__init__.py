"""Trees and forests to look at: pictures with the rows in them, a forest's vote on one row, and trees in words."""

from openbook.later import later

__all__ = ["plot_forest", "plot_tree", "tree_text"]

__getattr__ = later(__name__, {"forest_picture": ("plot_forest",), "picture": ("plot_tree",), "text": ("tree_text",)})
