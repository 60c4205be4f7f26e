"""Who may turn this pod into an agent: a short-lived token of the operator, for this pod and this body only."""

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import jwt

from prewarm_agent.generic.keys import ALGORITHM, Keys

MAX_LIFETIME_SECONDS = 60
# The clocks of two nodes are never the same.
CLOCK_SKEW_SECONDS = 5

_REQUIRED_CLAIMS = ["aud", "iat", "exp", "sub", "body_sha256"]


class TokenFault(StrEnum):
    NO_TOKEN = "NoToken"  # noqa: S105 - a reason's name, as all of them
    MALFORMED = "MalformedToken"
    UNKNOWN_KEY = "UnknownKey"
    BAD_SIGNATURE = "BadSignature"
    WRONG_AUDIENCE = "WrongAudience"
    EXPIRED = "Expired"
    NOT_YET_VALID = "NotYetValid"
    LIFETIME_TOO_LONG = "LifetimeTooLong"
    BODY_MISMATCH = "BodyMismatch"


class TokenRefused(Exception):
    """The call is not the operator's. The text says what is wrong with its token, in one sentence."""

    def __init__(self, fault: TokenFault, text: str) -> None:
        super().__init__(text)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Order:
    """What a token allows: to `subject` (`<namespace>/<name>` of an agent), with one body."""

    subject: str
    body_sha256: str

    def require(self, body: bytes) -> None:
        """Raises TokenRefused unless the order is for `body`."""
        digest = hashlib.sha256(body).hexdigest()
        if not hmac.compare_digest(self.body_sha256.encode(), digest.encode()):
            text = f"The token is for another body; this one's SHA-256 is {digest}."
            raise TokenRefused(TokenFault.BODY_MISMATCH, text)


class Verifier:
    """Checks the tokens for the pod whose UID is `audience`."""

    def __init__(self, keys: Keys, audience: str) -> None:
        self._keys = keys
        self._audience = audience

    def verify(self, token: str) -> Order:
        """What a token orders, before the body is there. Raises TokenRefused; an empty token is none."""
        if not token:
            text = "There is no token; send one header Authorization: Bearer TOKEN."
            raise TokenRefused(TokenFault.NO_TOKEN, text)
        claims = self._decode(token)
        lifetime = int(claims["exp"]) - int(claims["iat"])
        if lifetime > MAX_LIFETIME_SECONDS:
            text = f"The token is valid for {lifetime} s; sign one for at most {MAX_LIFETIME_SECONDS} s."
            raise TokenRefused(TokenFault.LIFETIME_TOO_LONG, text)
        return Order(str(claims["sub"]), str(claims["body_sha256"]))

    def _decode(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.InvalidTokenError, RecursionError) as error:
            raise TokenRefused(TokenFault.MALFORMED, f"The token is not a JWT: {error}.") from error
        if header.get("alg") != ALGORITHM:
            text = f"The token's algorithm is {header.get('alg')!r}; sign it with {ALGORITHM}."
            raise TokenRefused(TokenFault.MALFORMED, text)
        kid = header.get("kid")
        key = self._keys.get(kid) if isinstance(kid, str) else None
        if key is None:
            raise TokenRefused(TokenFault.UNKNOWN_KEY, f"The token's key {kid!r} is not one of this pod's keys.")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=[ALGORITHM],
                audience=self._audience,
                leeway=CLOCK_SKEW_SECONDS,
                options={"require": _REQUIRED_CLAIMS, "strict_aud": True},
            )
        except jwt.InvalidTokenError as error:
            raise TokenRefused(_fault(error), f"The token is refused: {error}.") from error
        return claims


def _fault(error: jwt.InvalidTokenError) -> TokenFault:
    match error:
        case jwt.InvalidSignatureError():
            return TokenFault.BAD_SIGNATURE
        case jwt.InvalidAudienceError():
            return TokenFault.WRONG_AUDIENCE
        case jwt.ExpiredSignatureError():
            return TokenFault.EXPIRED
        case jwt.ImmatureSignatureError():
            return TokenFault.NOT_YET_VALID
        case _:
            return TokenFault.MALFORMED
