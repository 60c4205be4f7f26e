"""A real Kubernetes for the demo, the tests and the benchmarks, without Docker and without a container registry.

One door: `python3 -m devcluster COMMAND`. Standard library only, because it runs before any virtual environment exists.
Tests that need an API server and no pods use `devcluster.controlplane.ControlPlane`.
"""
