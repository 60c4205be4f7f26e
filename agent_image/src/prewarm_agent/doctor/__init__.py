"""Measures a user's own agent and names what makes it slow: `prewarm-agent doctor module:factory`."""
