"""The operator's public keys, as a JWK set in a file that changes when they rotate."""

import json
import logging
from pathlib import Path

from jwt import PyJWK, PyJWTError

logger = logging.getLogger(__name__)

ALGORITHM = "EdDSA"


class Keys:
    """The Ed25519 keys of `path`, which is read again whenever it has become another file or was written to.

    A file that is missing or is no JWK set holds no key; keys of other kinds in it are left alone.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version: tuple[int, ...] | None = None
        self._keys: dict[str, PyJWK] = {}

    def get(self, kid: str) -> PyJWK | None:
        """The key of that name. Looks at the file's status, and reads it if that has changed."""
        version = self._current_version()
        if version != self._version:
            self._version, self._keys = version, self._read()
        return self._keys.get(kid)

    def _current_version(self) -> tuple[int, ...] | None:
        # A ConfigMap's file is a link to a link to a folder that is replaced: stat sees the file behind them.
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns

    def _read(self) -> dict[str, PyJWK]:
        try:
            entries = json.loads(self._path.read_bytes())["keys"]
            keys = {entry["kid"]: PyJWK(entry, ALGORITHM) for entry in entries if _is_ed25519(entry)}
        except (OSError, ValueError, LookupError, TypeError, RecursionError, PyJWTError) as error:
            logger.warning("no keys", extra={"path": str(self._path), "error": f"{type(error).__name__}: {error}"})
            return {}
        logger.info("keys read", extra={"path": str(self._path), "kids": sorted(keys)})
        return keys


def _is_ed25519(entry: dict[str, object]) -> bool:
    return (entry["kty"], entry.get("crv")) == ("OKP", "Ed25519") and isinstance(entry["kid"], str)
