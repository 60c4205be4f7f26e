"""The program of the pod that `helm test` runs. The pod itself runs in tests/cluster."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

from helmcli import only, render

SERVICE = "http://prewarm-metrics:8080"


@contextmanager
def answering(status: int) -> Iterator[str]:
    """The address of an operator that answers so."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()
            self.wfile.write(b"from the operator\n")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def run(address: str) -> subprocess.CompletedProcess[str]:
    """Run the program against `address`, with pauses left out."""
    (container,) = only(render(), "Pod")["spec"]["containers"]
    program, option, script = container["command"]
    assert (program, option) == ("python", "-c")
    assert SERVICE in script
    script = "import time; time.sleep = lambda seconds: None\n" + script.replace(SERVICE, address)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=False)


def test_it_ends_well_when_the_operator_is_ready() -> None:
    with answering(200) as address:
        done = run(address)
    assert (done.returncode, done.stdout) == (0, f"{address}/readyz: from the operator\n\n")


def test_it_fails_with_the_answer_of_an_operator_that_is_not_ready() -> None:
    with answering(503) as address:
        done = run(address)
    assert done.returncode == 1
    assert "HTTP Error 503" in done.stderr


def test_it_fails_with_the_address_when_nobody_answers() -> None:
    with answering(200) as address:
        pass
    done = run(address)
    assert done.returncode == 1
    assert address in done.stderr
    assert "refused" in done.stderr
