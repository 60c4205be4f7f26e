"""How to reach a Prometheus, or what speaks its HTTP API: Thanos, Mimir, VictoriaMetrics, a vendor's."""

import base64
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yarl


@dataclass(frozen=True, slots=True)
class Server:
    """Where it is and who asks. Tokens and passwords are files, read anew for each question, since they rotate.

    Attributes:
        address: base URL; a path stays before `/api/v1`, a query (a tenant's parameter) is part of each question.
        username: of basic authentication, with `password_file`; instead of a bearer token.
        ca_file: PEM of the authorities that may vouch for the server; None takes those of the system.
        certificate_file: PEM of our own certificate, with `key_file`, where the server asks for one.
        headers: more of them, for example `X-Scope-OrgID`.
        timeout_seconds: for one answer, all of it.
    """

    address: str
    bearer_token_file: Path | None = None
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float = 10.0

    def url(self, endpoint: str) -> yarl.URL:
        base = yarl.URL(self.address)
        return base.with_path(f"{base.path.rstrip('/')}/api/v1/{endpoint}", keep_query=True)

    def request_headers(self) -> dict[str, str]:
        """Raises OSError: a file cannot be read."""
        headers = dict(self.headers)
        if self.bearer_token_file is not None:
            headers["Authorization"] = f"Bearer {self.bearer_token_file.read_text().strip()}"
        elif self.username is not None:
            password = "" if self.password_file is None else self.password_file.read_text().rstrip("\r\n")
            headers["Authorization"] = "Basic " + base64.b64encode(f"{self.username}:{password}".encode()).decode()
        return headers

    def ssl_context(self) -> ssl.SSLContext:
        """Raises OSError (ssl.SSLError is one): a file cannot be read or is no PEM."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.certificate_file is not None:
            context.load_cert_chain(self.certificate_file, self.key_file)
        return context
