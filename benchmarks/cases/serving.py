"""Many LoRA adapters on one backbone: adaptkit against peft, the same shapes, own process each, one run.

`python -m benchmarks.run serving [--repeats 9] [--bf16]`. The peer multiplies its own bare backbone's time.
"""

import argparse
import json

from adaptkit.backbones import embedded
from benchmarks.process import measured
from benchmarks.write_results import write_result

RANK = 8


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--bf16", action="store_true")
    options = parser.parse_args(arguments)
    flags = [f"--rank={RANK}", f"--repeats={options.repeats}", *(["--bf16"] if options.bf16 else [])]
    flags.append(f"--backbone={embedded.materialise()}")
    results = {name: measured(f"{name}_serving", flags) for name in ("adaptkit", "peft")}
    for name, seconds in results.items():
        for what, each in list(seconds.items()):
            shape, _, row = what.partition(": ")
            if row and row != "bare":
                seconds[f"{what}, over bare"] = round(each / seconds[f"{shape}: bare"], 3)
        print(name, json.dumps({what: round(each, 6) for what, each in seconds.items()}, indent=1))
    config = {"rank": RANK, "repeats": options.repeats, "bf16": options.bf16}
    print(write_result("serving", seeds=[0], config=config, measured=results))
