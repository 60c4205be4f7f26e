"""A pod without an agent: what it offers, whom it obeys, and what it was turned into."""
