"""From a bound port to a warm agent: the phases, and what is built once."""
