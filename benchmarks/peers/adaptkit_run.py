"""One run of adaptkit in a process of its own, estimated only or trained; prints one JSON line."""

import argparse
import json
from typing import Any

import adaptkit


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--options", type=json.loads, required=True)
    parser.add_argument("--estimate", action="store_true")
    given = parser.parse_args()
    options: dict[str, Any] = given.options
    if given.estimate:
        estimate = adaptkit.estimate_adapter(adaptkit.TrainingRequest(**options, progress=False))
        print(json.dumps({"peak_memory_bytes": estimate.peak_memory_bytes, "elapsed_s": estimate.elapsed_s}))
        return
    facts = adaptkit.train_adapter(**options, progress=False).card.training
    assert facts is not None
    print(json.dumps({"peak_memory_bytes": facts.peak_memory_bytes, "elapsed_s": facts.elapsed_s}))


if __name__ == "__main__":
    main()
