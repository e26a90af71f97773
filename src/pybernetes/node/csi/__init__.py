"""CSI, the way to any other storage: drivers that register with the node, and what is asked of them."""
