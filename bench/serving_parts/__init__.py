"""The parts of bench/serving.py. Each has MEANINGS of its figures and an async function `measure`, which gives them."""
