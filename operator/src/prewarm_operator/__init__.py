"""The operator of Prewarm: keeps the pods of AgentDeployments warm, ready and of the wanted number."""
