"""The parts of bench/ramp.py: how soon the number of pods follows, and whether nodes are there."""
