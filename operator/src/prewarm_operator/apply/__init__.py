"""The one place that writes to the API server."""
