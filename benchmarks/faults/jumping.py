"""The command line of a machine whose clock is set all the time, by hours, back and forth.

The wall clock that Python reads jumps; the monotonic one goes on, as it does on such a machine.
"""

from __future__ import annotations

import random
import sys
import time

from densehook.cli import main

_HOUR = 3600.0


def _jump(seed: str) -> None:
    drawn = random.Random(seed)
    seconds, nanoseconds = time.time, time.time_ns
    time.time = lambda: seconds() + drawn.choice((-_HOUR, 0.0, _HOUR))
    time.time_ns = lambda: nanoseconds() + int(drawn.choice((-_HOUR, 0.0, _HOUR)) * 1e9)


if __name__ == "__main__":
    _jump(sys.argv.pop(1))
    main()
