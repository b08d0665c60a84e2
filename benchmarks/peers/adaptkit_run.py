"""One run of adaptkit in a process of its own, estimated only or trained; prints one JSON line."""

import argparse
import json

from adaptkit.recipes.train import estimate, train
from adaptkit.requests import request_of
from adaptkit.training.display import Silent


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--options", type=json.loads, required=True)
    parser.add_argument("--estimate", action="store_true")
    given = parser.parse_args()
    asked = request_of({**given.options, "progress": False})
    if given.estimate:
        found = estimate(asked, Silent())
        print(json.dumps({"peak_memory_bytes": found.peak_memory_bytes, "elapsed_s": found.elapsed_s}))
        return
    facts = train(asked).card.training
    assert facts is not None
    print(json.dumps({"peak_memory_bytes": facts.peak_memory_bytes, "elapsed_s": facts.elapsed_s}))


if __name__ == "__main__":
    main()
