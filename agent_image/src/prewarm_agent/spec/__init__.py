"""What the operator wants served: the document, what may be in it, and what is wrong with it."""
