"""What a policy of scaling would have cost on a recorded load, and how much of it would have met a cold pod. No I/O."""
