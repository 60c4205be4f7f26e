"""The cluster's containerd, seen as a store of images."""

from __future__ import annotations

from pathlib import Path

from devcluster.commands import run

# containerd forgets labels when an image is imported again, so the label always speaks of what is there.
FINGERPRINT_LABEL = "prewarm.dev/fingerprint"


class Containerd:
    """Images of the containerd that answers at `socket`, in the namespace Kubernetes uses."""

    def __init__(self, socket: Path) -> None:
        self._ctr = ["ctr", "--address", str(socket), "--namespace", "k8s.io", "images"]

    def holds(self, reference: str, fingerprint: str) -> bool:
        """Whether `reference` is the image that was made from the inputs with this fingerprint."""
        return f"{FINGERPRINT_LABEL}={fingerprint}" in run([*self._ctr, "list", f"name=={reference}"])

    def load(self, reference: str, archive: Path, fingerprint: str) -> None:
        """Import `archive`, which carries the name `reference`."""
        run([*self._ctr, "import", str(archive)])
        run([*self._ctr, "label", reference, f"{FINGERPRINT_LABEL}={fingerprint}"])
        self._remove_replaced()

    def _remove_replaced(self) -> None:
        """Remove what no name leads to any more; pods that run such an image keep it until they end."""
        rows = [line.split() for line in run([*self._ctr, "list"]).splitlines()[1:]]
        digests = {name: digest for name, _, digest, *_ in rows}
        named = {digest for name, digest in digests.items() if not name.startswith("sha256:")}
        for name, digest in digests.items():
            if name.startswith("sha256:") and digest not in named:
                run([*self._ctr, "remove", name])
