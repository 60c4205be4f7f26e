"""What is known of the load: each reading has a value, a time, a source and how far it can be trusted."""
