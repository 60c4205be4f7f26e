"""The parts of bench/scaling.py: the loads, and what the policies do with them."""
