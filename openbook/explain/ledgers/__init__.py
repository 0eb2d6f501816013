"""Value, local slope, upstream and product, for every entry on the way back; the same for every owner of a graph."""
