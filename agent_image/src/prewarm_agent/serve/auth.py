"""The token that users must show, if the agent asks for one."""

import hmac
import logging
from pathlib import Path

from prewarm_agent.serve.asgi import Scope, bearer_token
from prewarm_agent.serve.errors import APIError

logger = logging.getLogger(__name__)

CHALLENGE = (b"www-authenticate", b"Bearer")


class Auth:
    """Knows the token from the environment or from a file, which is read again when it changes. Without, all pass."""

    def __init__(self, token: str | None, file: Path | None) -> None:
        self._token = token.encode() if token else None
        self._file = file
        self._seen: tuple[int, int] | None = None
        self._readable = True

    def require(self, scope: Scope) -> None:
        """Raises APIError, 401, unless the request carries the token."""
        token = self._present()
        if token is None:
            return
        if not hmac.compare_digest(bearer_token(scope), token):
            text = "The token is missing or wrong; send it once, as `Authorization: Bearer ...`."
            raise APIError(401, text, code="invalid_api_key", headers=(CHALLENGE,))

    def _present(self) -> bytes | None:
        if self._file is None:
            return self._token
        try:
            stat = self._file.stat()
            if (stat.st_mtime_ns, stat.st_ino) != self._seen:
                self._token = self._file.read_bytes().strip()
                self._seen = (stat.st_mtime_ns, stat.st_ino)
            self._readable = True
        except OSError as error:
            # Nobody is let in by an accident; a token that was known before still counts.
            if self._readable:
                logger.warning("token not readable", extra={"path": str(self._file), "error": str(error)})
            self._readable = False
        return self._token or b"\0"
