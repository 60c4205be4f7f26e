"""What happens when a load rises: make bench NAME=ramp on the dev cluster, one part with PART=crossing or headroom."""

import os

from lib import report
from ramp_parts import crossing, headroom

PARTS = {"crossing": crossing, "headroom": headroom}


def main() -> None:
    """Run all parts, or the one that PART names; write build/bench/ramp.json."""
    named = os.environ.get("PART")
    if named and named not in PARTS:
        raise SystemExit(f"PART={named}: there is no such part; the parts are {', '.join(PARTS)}")
    figures: dict[str, report.Figure] = {}
    meanings: dict[str, str] = {}
    for part in [PARTS[named]] if named else PARTS.values():
        figures |= part.run()
        meanings |= part.MEANINGS
    report.write("ramp", figures, meanings)


if __name__ == "__main__":
    main()
