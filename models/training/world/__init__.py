"""The drawn world: scenes from a seed, painted by hand-made brushes, and the words people would use for them."""
