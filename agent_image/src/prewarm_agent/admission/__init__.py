"""How many requests run at a time, how long one may take, and how it is stopped."""
