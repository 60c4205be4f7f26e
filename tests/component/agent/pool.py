"""A pool of one generic pod: its document, the operator's keys, the folder that outlives a container."""

import base64
import hashlib
import json
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import jwt
from component.agent.agent_process import AgentProcess, running_in
from component.agent.specs import assistant, model_client, spec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

POD_UID = "0d9e3c1a-6f2f-4f6e-9f50-6f0f3c3d2b11"
FAST: dict[str, Any] = {"provider": "prewarm.NamedModel", "component_type": "model", "config": {"name": "fast"}}


def member(name: str = "support", system_message: str = "You answer questions.", **fields: Any) -> dict[str, Any]:
    """The spec of an agent that uses the pool's model."""
    component = assistant("", system_message=system_message, model_client=FAST)
    return spec(component, **{"name": name, **fields})


class Pool:
    """The files; `document` is the pool's, `key` the operator's."""

    def __init__(self, directory: Path, base_url: str, **fields: Any) -> None:
        self.directory = directory
        self.state = directory / "state"
        self.state.mkdir()
        self.key = Ed25519PrivateKey.generate()
        models = [{"name": "fast", "component": model_client(base_url)}]
        warmup = {"mode": "offline"}
        document = {"name": "small", "models": models, "warmup": warmup, **fields}
        (directory / "pool.json").write_text(json.dumps(document))
        self.publish(current=self.key)

    def publish(self, **keys: Ed25519PrivateKey) -> None:
        """Writes the public keys, as the operator's ConfigMap has them."""
        entries = [
            {"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": _base64url(key.public_key().public_bytes_raw())}
            for kid, key in keys.items()
        ]
        (self.directory / "keys.json").write_text(json.dumps({"keys": entries}))

    def token(self, body: bytes, *, kid: str = "current", **claims: Any) -> str:
        """The header that makes the pod obey."""
        now = int(time.time())
        digest = hashlib.sha256(body).hexdigest()
        all_claims = {"aud": POD_UID, "iat": now, "exp": now + 30, "sub": "shop/support", "body_sha256": digest}
        return "Bearer " + jwt.encode({**all_claims, **claims}, self.key, algorithm="EdDSA", headers={"kid": kid})

    @asynccontextmanager
    async def pod(self, *, warm: bool = True, **options: Any) -> AsyncIterator[AgentProcess]:
        """A container of the pod; the next one finds the same folder."""
        environment = {
            "PREWARM_KEYS": str(self.directory / "keys.json"),
            "PREWARM_STATE_DIR": str(self.state),
            "PREWARM_POD_UID": POD_UID,
        }
        arguments = ("--generic", str(self.directory / "pool.json"))
        async with running_in(self.directory, *arguments, **{**environment, **options}) as pod:
            if warm:
                await pod.warm()
            yield pod

    async def specialize(self, pod: AgentProcess, spec: object, *, authorization: str | None = None) -> httpx.Response:
        body = spec if isinstance(spec, bytes) else json.dumps(spec).encode()
        headers = {"authorization": self.token(body) if authorization is None else authorization}
        async with httpx.AsyncClient(timeout=30) as client:
            return await client.post(f"http://127.0.0.1:{pod.probe_port}/specialize", content=body, headers=headers)


@contextmanager
def pool(base_url: str, **fields: Any) -> Iterator[Pool]:
    """A pool whose model `fast` is at `base_url`; `fields` are more of its document."""
    with tempfile.TemporaryDirectory(prefix="prewarm-pool-") as name:
        yield Pool(Path(name), base_url, **fields)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
