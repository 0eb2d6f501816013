"""ONNX graphs: what each kind of node computes, as formulas."""
