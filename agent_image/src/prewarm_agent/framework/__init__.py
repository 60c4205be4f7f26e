"""The adapter to AutoGen: the only room that imports it to build or run an agent."""
