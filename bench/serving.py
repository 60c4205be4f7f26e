"""What a request to a warm agent costs, and how soon it is refused or given up: make bench NAME=serving.

Takes about seven minutes. A part is a module of serving_parts; enter a new one in PARTS.
"""

import asyncio
import tempfile
from pathlib import Path

from lib import report
from serving_parts import cancel, comparison, load_push, memory, overhead, overload, specialize

PARTS = (overhead, comparison, memory, cancel, overload, load_push, specialize)


async def main() -> None:
    """Run all parts and write build/bench/serving.json."""
    figures: dict[str, report.Figure] = {}
    meanings: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="prewarm-bench-") as folder:
        for part in PARTS:
            print(f"  {part.__name__.rpartition('.')[2]}", flush=True)
            figures |= await part.measure(Path(folder))
            meanings |= part.MEANINGS
    report.write("serving", figures, meanings)


if __name__ == "__main__":
    asyncio.run(main())
