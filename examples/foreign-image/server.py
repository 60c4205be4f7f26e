"""A server that knows nothing of Prewarm but one path that says when it is warm."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

warm = threading.Event()


def load() -> None:
    """Stands for what takes long: weights, an index, connections."""
    time.sleep(3)
    warm.set()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        ready = warm.is_set()
        self._answer(200 if ready else 503, {"warm": ready})

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        text = request["messages"][-1]["content"]
        message = {"role": "assistant", "content": f"echo: {text}"}
        self._answer(200 if warm.is_set() else 503, {"choices": [{"index": 0, "message": message}]})

    def _answer(self, status: int, body: dict) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


threading.Thread(target=load).start()
ThreadingHTTPServer(("", 7000), Handler).serve_forever()
