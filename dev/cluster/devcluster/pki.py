"""Certificates and kubeconfigs of one cluster, made anew at every start with openssl."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from devcluster.commands import run

VALID_DAYS = "365"
CLUSTER_CA = "ca"
FRONT_PROXY_CA = "front-proxy-ca"
ELLIPTIC_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Certificate:
    """What to certify: files `<name>.crt` and `<name>.key`; `alternatives` makes it a server's certificate."""

    name: str
    subject: str
    alternatives: tuple[str, ...] = ()
    authority: str = CLUSTER_CA


def create(folder: Path, certificates: Iterable[Certificate]) -> None:
    """Create both authorities, the key that signs service account tokens, and `certificates` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    with ThreadPoolExecutor() as workers:
        list(workers.map(lambda name: _create_authority(folder, name), (CLUSTER_CA, FRONT_PROXY_CA)))
        # ecparam writes the old SEC1 form, the only one from which the API server also reads the public half.
        key = folder / "service-accounts.key"
        tokens = workers.submit(run, ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key])
        list(workers.map(lambda certificate: _issue(folder, certificate), certificates))
        tokens.result()


def write_kubeconfig(file: Path, server: str, pki: Path, certificate: str) -> None:
    """Write a kubeconfig that carries its certificates, so that it may be copied anywhere on the host."""

    def embedded(name: str) -> str:
        return base64.b64encode((pki / name).read_bytes()).decode()

    credentials = {
        "client-certificate-data": embedded(f"{certificate}.crt"),
        "client-key-data": embedded(f"{certificate}.key"),
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "prewarm-dev",
        "clusters": [
            {
                "name": "prewarm-dev",
                "cluster": {"server": server, "certificate-authority-data": embedded(f"{CLUSTER_CA}.crt")},
            }
        ],
        "users": [{"name": certificate, "user": credentials}],
        "contexts": [{"name": "prewarm-dev", "context": {"cluster": "prewarm-dev", "user": certificate}}],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(config, indent=1))


def _create_authority(folder: Path, name: str) -> None:
    extensions = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,digitalSignature,keyCertSign"]
    _certify(folder, name, f"/CN=prewarm-dev-{name}", extensions, signer=())


def _issue(folder: Path, certificate: Certificate) -> None:
    usage = "serverAuth" if certificate.alternatives else "clientAuth"
    extensions = [
        "basicConstraints=critical,CA:FALSE",
        "keyUsage=critical,digitalSignature,keyEncipherment",
        f"extendedKeyUsage={usage}",
    ]
    if certificate.alternatives:
        extensions.append(f"subjectAltName={','.join(certificate.alternatives)}")
    authority = folder / certificate.authority
    signer = ("-CA", f"{authority}.crt", "-CAkey", f"{authority}.key")
    _certify(folder, certificate.name, certificate.subject, extensions, signer)


def _certify(folder: Path, name: str, subject: str, extensions: list[str], signer: tuple[str, ...]) -> None:
    # A configuration of our own: the machine's openssl.cnf may add extensions, such as CA:TRUE, to everything.
    configuration = folder / f"{name}.cnf"
    configuration.write_text(
        "\n".join(["[req]", "distinguished_name=dn", "x509_extensions=x", "[dn]", "[x]", *extensions])
    )
    base = folder / name
    run(
        ["openssl", "req", "-x509", "-config", configuration, "-subj", subject, "-days", VALID_DAYS,
         *ELLIPTIC_CURVE, "-keyout", f"{base}.key", "-out", f"{base}.crt", *signer]
    )  # fmt: skip
    configuration.unlink()
