"""The API server, as far as Prewarm needs it: addresses of kinds, one client, a short tree of errors."""
