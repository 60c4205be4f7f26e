"""The cluster as the acts see it: its programs, its API, its pods."""
