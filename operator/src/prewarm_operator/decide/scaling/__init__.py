"""How many pods an AgentDeployment should have, and why: pure, used alike by the operator and the simulator."""
