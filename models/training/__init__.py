"""How the model in the box was made: a drawn world, its captions, and the networks that learn it. Run by hand."""
