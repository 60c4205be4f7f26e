"""The parts of bench/forecast.py. `accuracy`, `libraries` and `tick` have MEANINGS of figures, and `measure` them."""
