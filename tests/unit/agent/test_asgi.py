"""What is read from the head of a request."""

import pytest

from prewarm_agent.serve.asgi import bearer_token


@pytest.mark.parametrize(
    ("values", "token"),
    [
        ([b"Bearer x.y.z"], b"x.y.z"),
        ([b"bearer  x "], b"x"),
        ([], b""),
        ([b""], b""),
        ([b"Bearer"], b""),
        ([b"Bearer "], b""),
        ([b"Basic dXNlcjpwYXNz"], b""),
        ([b"x.y.z"], b""),
        ([b"Bearer first", b"Bearer last"], b""),
        ([b"Bearer same", b"Bearer same"], b""),
    ],
)
def test_a_request_has_one_token_or_none(values: list[bytes], token: bytes) -> None:
    others = [(b"host", b"agent"), (b"x-authorization", b"Bearer other")]
    assert bearer_token({"headers": [*others, *((b"authorization", value) for value in values)]}) == token
