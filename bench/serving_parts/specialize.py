"""How long a generic pod takes to become an agent: the order, the answer that says it is warm."""

import base64
import hashlib
import json
import time
from pathlib import Path

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from lib import servers
from lib.closed_loop import percentile
from lib.report import Figure

PODS = 60
POD_UID = "bench"

MEANINGS = {
    "specialize_p50_ms": "from the order to the answer that the agent is warm, median of 60 fresh pods (at most 60)",
    "specialize_p99_ms": "its 99th percentile (at most 200)",
}


async def measure(folder: Path) -> dict[str, Figure]:
    async with servers.model() as model:
        pool = _Pool(folder, model.url)
        seconds = []
        for _ in range(PODS):
            async with servers.generic(folder, pool.document, pool.environment) as pod:
                seconds.append(await pool.specialize(pod))
            pool.forget()
    return {"specialize_p50_ms": percentile(seconds, 50) * 1000, "specialize_p99_ms": percentile(seconds, 99) * 1000}


class _Pool:
    """The files of a pool in `folder`, and the operator's key."""

    def __init__(self, folder: Path, model_url: str) -> None:
        self._key = Ed25519PrivateKey.generate()
        self._state = folder / "state"
        keys = folder / "keys.json"
        public = base64.urlsafe_b64encode(self._key.public_key().public_bytes_raw()).rstrip(b"=").decode()
        keys.write_text(json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "bench", "x": public}]}))
        own = servers.assistant(model_url)
        self.document = {
            "name": "small",
            "models": [{"name": "fast", "component": own["config"]["model_client"]}],
        }
        self.environment = {
            "PREWARM_KEYS": str(keys),
            "PREWARM_POD_UID": POD_UID,
            "PREWARM_STATE_DIR": str(self._state),
        }
        named = {"provider": "prewarm.NamedModel", "component_type": "model", "config": {"name": "fast"}}
        component = {**own, "config": {**own["config"], "model_client": named}}
        self._spec = json.dumps({"name": "support", "agent": {"component": component}}).encode()

    async def specialize(self, pod: servers.ServerProcess) -> float:
        """Seconds until the pod is the agent. The token is made before: the operator makes it beside other things."""
        now = int(time.time())
        claims = {"aud": POD_UID, "iat": now, "exp": now + 30, "sub": "bench/support"}
        claims["body_sha256"] = hashlib.sha256(self._spec).hexdigest()
        token = jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": "bench"})
        async with httpx.AsyncClient(timeout=30) as http:
            await http.get(f"{pod.probe_url}/livez")  # opens the connection, as the operator has one
            began = time.perf_counter()
            headers = {"authorization": f"Bearer {token}"}
            answer = await http.post(f"{pod.probe_url}/specialize", content=self._spec, headers=headers)
            seconds = time.perf_counter() - began
        if answer.status_code != 200:
            raise SystemExit(f"specialize was refused: {answer.text}")
        return seconds

    def forget(self) -> None:
        """The next pod is another one."""
        (self._state / "accepted.json").unlink()
