"""From an AgentDeployment to the objects that it wants to exist. Pure: same input, same bytes."""
