"""Writes what is generated from the models into the repository: `python -m prewarm_operator.api [REPOSITORY]`.

That is a reference page for each kind, and its CustomResourceDefinition: in crds/ for `kubectl apply`, and as a
template in the Helm chart, since Helm never upgrades what lies in a chart's own crds/ folder.
"""

import sys
from pathlib import Path

from prewarm_operator.api.manifests import manifests


def main() -> None:
    repository = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    for path, text in manifests().items():
        target = repository / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        print(target)


if __name__ == "__main__":
    main()
