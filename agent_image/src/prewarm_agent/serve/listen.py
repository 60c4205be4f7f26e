"""What happens first: the ports are bound, and connections wait in the backlog while everything else is imported."""

import os
import socket

# As deep as the kernel allows: connections of a burst wait here, and before the loop runs, all of them do.
BACKLOG = 4096


def listen(port: int) -> socket.socket:
    """A listening socket on every address, IPv4 and IPv6. Port 0 takes a free one. OSError names the remedy."""
    try:
        if socket.has_dualstack_ipv6():
            return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=BACKLOG)
        return socket.create_server(("", port), backlog=BACKLOG)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(f"port {port}: {why}; choose another one with --port or --probe-port.") from error
