"""What `make demo` shows: a model server to talk to, load, the pattern users come from, and the acts."""
