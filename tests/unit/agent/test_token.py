"""Whose specialize is obeyed."""

import base64
import hashlib
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from prewarm_agent.generic.keys import Keys
from prewarm_agent.generic.token import TokenFault, TokenRefused, Verifier

POD = "0d9e3c1a-6f2f-4f6e-9f50-6f0f3c3d2b11"
BODY = b'{"name": "support"}'


def public(key: Ed25519PrivateKey, kid: str) -> dict[str, str]:
    x = base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x}


@pytest.fixture(scope="module")
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


class KnownKeys(Keys):
    """Keys without a file."""

    def __init__(self, **keys: Ed25519PrivateKey) -> None:
        self._keys = {kid: jwt.PyJWK(public(key, kid), "EdDSA") for kid, key in keys.items()}

    def get(self, kid: str) -> jwt.PyJWK | None:
        return self._keys.get(kid)


@pytest.fixture
def verifier(key: Ed25519PrivateKey) -> Verifier:
    return Verifier(KnownKeys(current=key), POD)


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    hashed = hashlib.sha256(BODY).hexdigest()
    whole = {"aud": POD, "iat": now, "exp": now + 30, "sub": "shop/support", "body_sha256": hashed, **changes}
    return {name: value for name, value in whole.items() if value is not None}


def signed(key: Any, *, algorithm: str | None = "EdDSA", kid: Any = "current", **changes: Any) -> str:
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers=headers)


def fault(verifier: Verifier, token: str) -> TokenFault:
    with pytest.raises(TokenRefused) as refused:
        verifier.verify(token)
    assert str(refused.value).endswith(".")
    return refused.value.fault


def test_a_token_for_this_pod_and_body_is_obeyed(verifier: Verifier, key: Ed25519PrivateKey) -> None:
    order = verifier.verify(signed(key))
    assert order.subject == "shop/support"
    order.require(BODY)


def test_no_token(verifier: Verifier) -> None:
    assert fault(verifier, "") is TokenFault.NO_TOKEN


@pytest.mark.parametrize("token", ["x", "a.b", "a.b.c", "e30.e30.e30", "W10.e30.e30", "\N{SNOWMAN}.b.c", "." * 1000])
def test_what_is_no_jwt(verifier: Verifier, token: str) -> None:
    assert fault(verifier, token) is TokenFault.MALFORMED


def test_a_header_nested_deeper_than_python_recurses(verifier: Verifier) -> None:
    header = base64.urlsafe_b64encode(b"[" * 40_000).rstrip(b"=").decode()
    assert fault(verifier, f"{header}.e30.e30") is TokenFault.MALFORMED


@pytest.mark.parametrize("kid", ["next", "", None])
def test_a_key_that_the_pod_does_not_know(verifier: Verifier, key: Ed25519PrivateKey, kid: str | None) -> None:
    assert fault(verifier, signed(key, kid=kid)) is TokenFault.UNKNOWN_KEY


def test_the_signature_of_another_key(verifier: Verifier) -> None:
    assert fault(verifier, signed(Ed25519PrivateKey.generate())) is TokenFault.BAD_SIGNATURE


def test_claims_that_were_changed_after_signing(verifier: Verifier, key: Ed25519PrivateKey) -> None:
    head, _, signature = signed(key).split(".")
    forged = base64.urlsafe_b64encode(json.dumps(claims(sub="shop/other")).encode()).rstrip(b"=").decode()
    assert fault(verifier, f"{head}.{forged}.{signature}") is TokenFault.BAD_SIGNATURE


def test_a_token_that_nobody_signed(verifier: Verifier) -> None:
    assert fault(verifier, signed(None, algorithm="none")) is TokenFault.MALFORMED
    stripped = signed(Ed25519PrivateKey.generate()).rpartition(".")[0] + "."
    assert fault(verifier, stripped) is TokenFault.BAD_SIGNATURE


def test_the_public_key_as_the_secret_of_an_hmac(verifier: Verifier, key: Ed25519PrivateKey) -> None:
    secret = key.public_key().public_bytes_raw()
    assert fault(verifier, signed(secret, algorithm="HS256")) is TokenFault.MALFORMED


@pytest.mark.parametrize("audience", ["another-pod", [POD], [POD, "another-pod"], POD + " "])
def test_a_token_for_another_pod(verifier: Verifier, key: Ed25519PrivateKey, audience: object) -> None:
    assert fault(verifier, signed(key, aud=audience)) is TokenFault.WRONG_AUDIENCE


def test_a_pod_that_does_not_know_its_uid_obeys_nobody(key: Ed25519PrivateKey) -> None:
    verifier = Verifier(KnownKeys(current=key), "")
    assert fault(verifier, signed(key)) is TokenFault.WRONG_AUDIENCE
    assert fault(verifier, signed(key, aud="")) is TokenFault.MALFORMED


def test_a_token_of_yesterday(verifier: Verifier, key: Ed25519PrivateKey) -> None:
    now = int(time.time())
    assert fault(verifier, signed(key, iat=now - 100, exp=now - 50)) is TokenFault.EXPIRED


@pytest.mark.parametrize("when", [{"iat": 100, "exp": 130}, {"nbf": 20}])
def test_a_token_of_tomorrow(verifier: Verifier, key: Ed25519PrivateKey, when: dict[str, int]) -> None:
    now = int(time.time())
    changes = {name: now + seconds for name, seconds in when.items()}
    assert fault(verifier, signed(key, **changes)) is TokenFault.NOT_YET_VALID


def test_clocks_may_differ_by_a_moment(verifier: Verifier, key: Ed25519PrivateKey) -> None:
    now = int(time.time())
    assert verifier.verify(signed(key, iat=now + 3, exp=now + 33))
    assert verifier.verify(signed(key, iat=now - 33, exp=now - 3))


def test_a_token_that_lives_longer_than_a_minute(verifier: Verifier, key: Ed25519PrivateKey) -> None:
    now = int(time.time())
    assert verifier.verify(signed(key, exp=now + 60, iat=now))
    assert fault(verifier, signed(key, exp=now + 61, iat=now)) is TokenFault.LIFETIME_TOO_LONG
    assert fault(verifier, signed(key, exp=now + 30, iat=now - 86_400)) is TokenFault.LIFETIME_TOO_LONG


@pytest.mark.parametrize("claim", [hashlib.sha256(BODY + b" ").hexdigest(), "snowman \N{SNOWMAN}"])
def test_a_token_for_another_body(verifier: Verifier, key: Ed25519PrivateKey, claim: str) -> None:
    order = verifier.verify(signed(key, body_sha256=claim))
    with pytest.raises(TokenRefused) as refused:
        order.require(BODY)
    assert refused.value.fault is TokenFault.BODY_MISMATCH


@pytest.mark.parametrize("claim", ["aud", "iat", "exp", "sub", "body_sha256"])
def test_a_claim_that_is_missing(verifier: Verifier, key: Ed25519PrivateKey, claim: str) -> None:
    assert fault(verifier, signed(key, **{claim: None})) is TokenFault.MALFORMED


@pytest.mark.parametrize("changes", [{"exp": "soon"}, {"iat": [1]}, {"exp": float("inf")}, {"sub": 3}])
def test_a_claim_that_is_no_time_or_no_text(
    verifier: Verifier, key: Ed25519PrivateKey, changes: dict[str, Any]
) -> None:
    assert fault(verifier, signed(key, **changes)) is TokenFault.MALFORMED
