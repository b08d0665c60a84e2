"""The engine atheris: changes that are kept where they reach new code of adaptkit."""

import faulthandler
import os
import shutil
import sys
import time
from pathlib import Path
from random import Random

from fuzz.mutation import MAX_BYTES
from fuzz.tally import Tally
from fuzz.target import Target
from fuzz.watch import MUCH_TOO_LONG_S, SCRATCH


def run(target: Target, tally: Tally, *, seconds: float, seed: int, corpus: Path) -> None:
    """Try inputs until the time is over, and end the process: libFuzzer never comes back."""
    import atheris

    corpus.mkdir(parents=True, exist_ok=True)
    seeds = target.seeds()
    for number, data in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(data)
    started = time.monotonic()

    def test_one(data: bytes) -> None:
        faulthandler.dump_traceback_later(MUCH_TOO_LONG_S, exit=True)
        tally.add(data, target.try_one(data))
        if time.monotonic() - started > seconds:
            sys.stdout.write(tally.told(time.monotonic() - started) + "\n")
            sys.stdout.flush()
            shutil.rmtree(SCRATCH, ignore_errors=True)
            os._exit(1 if tally.findings else 0)

    def mutate(data: bytes, max_size: int, number: int) -> bytes:
        # One in eight by libFuzzer itself, which knows what adaptkit compares with.
        random = Random(number)
        # What was changed many times is refused early; half of all begin with a sound one.
        data = random.choice(seeds) if random.random() < 0.5 else data
        return atheris.Mutate(data, max_size) if random.random() < 0.125 else target.mutate(data, random)[:max_size]

    options = [f"-max_len={MAX_BYTES}", f"-seed={seed + 1}", "-timeout=60", "-rss_limit_mb=6000", "-verbosity=0"]
    atheris.Setup(["fuzz", *options, str(corpus)], test_one, custom_mutator=mutate)
    atheris.Fuzz()
