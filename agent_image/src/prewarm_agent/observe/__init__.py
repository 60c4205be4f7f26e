"""What the process tells of itself: calls of models and tools, traces, and whether its event loop turns."""
