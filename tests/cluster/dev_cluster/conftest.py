"""Tests of the dev cluster itself. They come before all others here, since they end with a fresh cluster."""

from devcluster.settings import foreign_kubeconfig

# With PREWARM_KUBECONFIG the tests run on a cluster of somebody else: then there is no dev cluster to test.
collect_ignore_glob = ["test_*.py"] if foreign_kubeconfig() else []
