"""The one exception of the dev cluster."""


class DevClusterError(Exception):
    """Something a person must act on, said in one sentence; further lines carry the evidence."""
