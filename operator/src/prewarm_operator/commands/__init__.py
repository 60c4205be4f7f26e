"""The command `prewarm`, also as a plugin of kubectl."""
