"""How to reach a Prometheus, or what speaks its HTTP API: Thanos, Mimir, VictoriaMetrics, a vendor's."""

import base64
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import yarl


def is_address(text: str) -> bool:
    """Whether `text` can be the address of a Server."""
    try:
        return yarl.URL(text).scheme in ("http", "https") and bool(yarl.URL(text).host)
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Server:
    """Where it is and who asks. Credentials are files, whose content counts at the time of a question: they rotate.

    Attributes:
        address: base URL; a path stays before `/api/v1`, a query (a tenant's parameter) is part of each question.
        username_file: of basic authentication, with `password_file`; instead of a bearer token.
        ca_file: PEM of the authorities that may vouch for the server; None takes those of the system.
        certificate_file: PEM of our own certificate, with `key_file`, where the server asks for one.
        headers: more of them, for example `X-Scope-OrgID`.
        timeout_seconds: for one answer about now, all of it.
    """

    address: str
    bearer_token_file: Path | None = None
    username_file: Path | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float = 5.0

    def url(self, endpoint: str) -> yarl.URL:
        base = yarl.URL(self.address)
        return base.with_path(f"{base.path.rstrip('/')}/api/v1/{endpoint}", keep_query=True)

    def request_headers(self) -> dict[str, str]:
        """Raises OSError: a file cannot be read."""
        headers = dict(self.headers)
        if self.bearer_token_file is not None:
            headers["Authorization"] = f"Bearer {self.bearer_token_file.read_text().strip()}"
        elif self.username_file is not None and self.password_file is not None:
            login = f"{_line(self.username_file)}:{_line(self.password_file)}"
            headers["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
        return headers

    def ssl_context(self) -> ssl.SSLContext | bool:
        """True where nothing is set: the authorities of the system vouch.

        Raises OSError (ssl.SSLError is one): a file cannot be read or is no PEM.
        """
        files = (self.ca_file, self.certificate_file, self.key_file)
        if not any(files):
            return True
        return _ssl_context(*files, tuple(file and (file.stat().st_mtime_ns, file.stat().st_ino) for file in files))


@lru_cache(maxsize=1)
def _ssl_context(ca: Path | None, certificate: Path | None, key: Path | None, versions: object) -> ssl.SSLContext:  # noqa: ARG001
    """Made anew when a file has changed: connections of another context are not used again."""
    context = ssl.create_default_context(cafile=ca)
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context


def _line(file: Path) -> str:
    return file.read_text().rstrip("\r\n")
