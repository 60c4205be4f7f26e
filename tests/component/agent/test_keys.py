"""The file with the operator's public keys, as the kubelet writes and rotates it."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from unit.agent.test_token import public

from prewarm_agent.generic.keys import Keys


def jwks(*kids: str) -> str:
    return json.dumps({"keys": [public(Ed25519PrivateKey.generate(), kid) for kid in kids]})


def known(keys: Keys, *kids: str) -> list[bool]:
    return [keys.get(kid) is not None for kid in kids]


async def test_keys_that_are_written_later_are_found(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys.json")
    assert known(keys, "one") == [False]
    (tmp_path / "keys.json").write_text(jwks("one"))
    assert known(keys, "one", "two") == [True, False]
    (tmp_path / "keys.json").write_text(jwks("one", "two"))
    assert known(keys, "one", "two") == [True, True]
    (tmp_path / "keys.json").unlink()
    assert known(keys, "one", "two") == [False, False]


async def test_a_config_map_that_swaps_its_folder(tmp_path: Path) -> None:
    """As the kubelet does it: keys.json -> ..data/keys.json, ..data -> a folder per version, swapped by a rename."""
    for version, kids in (("..1", ["old"]), ("..2", ["new"])):
        (tmp_path / version).mkdir()
        (tmp_path / version / "keys.json").write_text(jwks(*kids))
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "keys.json").symlink_to("..data/keys.json")
    keys = Keys(tmp_path / "keys.json")
    assert known(keys, "old", "new") == [True, False]
    (tmp_path / "..data_tmp").symlink_to("..2")
    (tmp_path / "..data_tmp").rename(tmp_path / "..data")
    assert known(keys, "old", "new") == [False, True]


async def test_a_file_that_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(jwks("one"))
    keys = Keys(tmp_path / "keys.json")
    first = keys.get("one")
    assert keys.get("one") is first


async def test_keys_of_other_kinds_are_left_alone(tmp_path: Path) -> None:
    private = Ed25519PrivateKey.generate()
    entries = [
        {"kty": "oct", "kid": "secret", "k": "AAAA"},
        {"kty": "OKP", "crv": "X25519", "kid": "exchange", "x": public(private, "exchange")["x"]},
        public(private, "one") | {"alg": "HS256", "use": "sig"},
    ]
    (tmp_path / "keys.json").write_text(json.dumps({"keys": entries}))
    assert known(Keys(tmp_path / "keys.json"), "secret", "exchange", "one") == [False, False, True]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"keys": 3}',
        '{"keys": [3]}',
        '{"keys": [{"kty": "OKP", "crv": "Ed25519"}]}',
        '{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "one", "x": "short"}]}',
        "[" * 100_000,
    ],
)
async def test_a_file_that_is_no_jwk_set_holds_no_key(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys.json").write_text(text)
    assert known(Keys(tmp_path / "keys.json"), "one") == [False]
