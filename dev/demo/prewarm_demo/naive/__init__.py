"""The pattern users come from, as AutoGen's own FastAPI sample and `autogenstudio serve` have it."""
