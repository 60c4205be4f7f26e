"""Open-loop load: seeded arrivals, keep-alive clients without retries, one record for each request."""
