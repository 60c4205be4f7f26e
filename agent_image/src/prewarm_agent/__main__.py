from prewarm_agent.cli import main

main()
