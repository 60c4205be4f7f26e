"""Trials: load on a Service while something happens to its pods."""
