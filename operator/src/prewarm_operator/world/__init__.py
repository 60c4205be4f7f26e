"""The one place that reads the world: a cache fed by watches and lists, and frozen snapshots of it."""
