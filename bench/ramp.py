"""How soon the operator follows a load that rises: make bench NAME=ramp, on the dev cluster in about five minutes."""

from lib import report
from ramp_parts import crossing

if __name__ == "__main__":
    report.write("ramp", crossing.run(), crossing.MEANINGS)
