"""An engine of its own: seeded changes of seeds, and of inputs that were answered in a new way."""

import faulthandler
import time
from random import Random

from fuzz.tally import Tally
from fuzz.target import Target
from fuzz.watch import MUCH_TOO_LONG_S

_MOST_KEPT = 500


def run(target: Target, tally: Tally, *, seconds: float, seed: int) -> None:
    """Try inputs until the time is over. Where even the alarm cannot end one, the process ends with a traceback."""
    random = Random(seed)
    pool, seen = [], set()
    for data in target.seeds():
        pool.append(data)
        tally.add(data, target.try_one(data))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = target.mutate(random.choice(pool), random)
        faulthandler.dump_traceback_later(MUCH_TOO_LONG_S, exit=True)
        outcome = target.try_one(data)
        faulthandler.cancel_dump_traceback_later()
        tally.add(data, outcome)
        way = (outcome.kind, outcome.what, outcome.detail)
        if way not in seen and len(pool) < _MOST_KEPT and outcome.kind != "finding":
            seen.add(way)
            pool.append(data)
