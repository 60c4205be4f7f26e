"""Helm and our chart, as a user runs them."""

import subprocess
import tempfile
from pathlib import Path

from devcluster.settings import Cache

CHART = Path(__file__).resolve().parents[1] / "charts" / "prewarm"


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run helm to its end and return it, whatever its exit code; the user's own Helm settings play no part."""
    command = [str(Cache.from_environment().current / "helm"), *arguments]
    with tempfile.TemporaryDirectory() as home:
        return subprocess.run(command, env={"HOME": home}, capture_output=True, text=True, timeout=60, check=False)
