"""Questions to the API server with the administrator's certificate."""

from __future__ import annotations

import http.client
import json
import ssl
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 5.0


class ApiClient:
    """Reads from the API server at `address`:`port`; each read is a connection of its own."""

    def __init__(self, address: str, port: int, pki: Path) -> None:
        self._address = address
        self._port = port
        self._tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        self._tls.load_cert_chain(pki / "admin.crt", pki / "admin.key")

    def ready(self) -> bool:
        """Whether the API server says of itself that it is ready."""
        return self._read("/readyz") is not None

    def get(self, path: str) -> dict[str, Any] | None:
        """The object at `path`, or None if there is none or nobody answers."""
        body = self._read(path)
        return None if body is None else dict(json.loads(body))

    def _read(self, path: str) -> bytes | None:
        connection = http.client.HTTPSConnection(self._address, self._port, timeout=TIMEOUT_SECONDS, context=self._tls)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
            return body if response.status == http.client.OK else None
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
