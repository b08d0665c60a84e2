"""`python -m fuzz --target load_adapter --minutes 2`: how many inputs were tried, and what became of them."""

import argparse
import importlib.util
import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fuzz.target import Target

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["ADAPTKIT_KEEP_PROOFS"] = "0"  # a proof that is kept is a file that a reader has written


def main() -> int:
    """Run one engine on one target, or look at one input again; 1 where something was found."""
    options = _options()
    guided = options.engine == "atheris" and options.replay is None
    target = _targets(instrumented=guided)[options.target]

    from fuzz.tally import Tally
    from fuzz.watch import SCRATCH

    tally = Tally(options.target, options.findings)
    started = time.monotonic()
    try:
        if options.replay is not None:
            data = options.replay.read_bytes()
            outcome = target.try_one(data)
            sys.stdout.write(f"{outcome.kind} {outcome.what} {outcome.detail}\n{outcome.story}")
            return int(outcome.kind == "finding")
        for data in target.seeds():  # what is imported only when it is needed is imported now
            target.try_one(data)
        if guided:
            from fuzz import guided as engine

            corpus = SCRATCH / "corpus"
            engine.run(target, tally, seconds=60 * options.minutes, seed=options.seed, corpus=corpus)
        else:
            from fuzz import seeded

            seeded.run(target, tally, seconds=60 * options.minutes, seed=options.seed)
        sys.stdout.write(tally.told(time.monotonic() - started) + "\n")
        return int(bool(tally.findings))
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)


def _options() -> argparse.Namespace:
    there = importlib.util.find_spec("atheris") is not None
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--target", required=True, help="a row of fuzz.targets.TARGETS")
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=0, help="of the changes")
    parser.add_argument("--engine", choices=("seeded", "atheris"), default="atheris" if there else "seeded")
    parser.add_argument(
        "--findings", type=Path, default=Path("build/fuzz"), help="folder for inputs that found something"
    )
    parser.add_argument("--replay", type=Path, help="one input to look at again")
    return parser.parse_args()


def _targets(*, instrumented: bool) -> "dict[str, Target]":
    if instrumented:
        import atheris

        # The backbone's libraries are not what is fed with strangers' bytes, and are slow when they are watched.
        with atheris.instrument_imports(include=["adaptkit"]):
            from fuzz.targets import TARGETS
    else:
        from fuzz.targets import TARGETS
    return TARGETS


if __name__ == "__main__":
    sys.exit(main())
