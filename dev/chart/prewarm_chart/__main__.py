"""`python -m prewarm_chart generate` writes values, schema and reference into the repository.
`python -m prewarm_chart manifests FILE` writes what a default release consists of, for kubectl without Helm.
"""

import argparse
from pathlib import Path

from prewarm_chart.files import files
from prewarm_chart.manifests import manifests


def main() -> None:
    parser = argparse.ArgumentParser(prog="prewarm_chart", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("generate", help="write the generated files into the current folder")
    render = commands.add_parser("manifests", help="write one file for kubectl apply")
    render.add_argument("file", type=Path)
    arguments = parser.parse_args()
    written = files() if arguments.command == "generate" else {arguments.file: manifests()}
    for path, text in written.items():
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        print(target)


if __name__ == "__main__":
    main()
