"""adaptkit writing behind prompts: one stack, and a stack of its own on every row.

Run in a process of its own; prints one JSON line.
"""

import argparse
import json
from pathlib import Path

import adaptkit
from benchmarks.peers.generation_prompts import PROMPTS, timed


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--adapters", type=Path, required=True)
    parser.add_argument("--new-tokens", type=int, required=True)
    parser.add_argument("--repeats", type=int, required=True)
    options = parser.parse_args()
    model = adaptkit.load_model(options.backbone)
    folders = sorted(options.adapters.iterdir())
    every = [folder.name for folder in folders]
    model.attach(adaptkit.load_adapter(folders[0]))
    # As the peer: nothing ends before its length.
    model.network.config.eos_token_id = None
    model.tokenizer.eos_token = None

    def write(prompts: list[str], stacks: list[str | None]) -> list[tuple[int, ...]]:
        found = model.generate(prompts, stacks=stacks, max_new_tokens=options.new_tokens, batch_size=len(PROMPTS))
        return [each.ids for each in found]

    n_rows = len(PROMPTS)
    found = timed(
        {
            "1 row, no adapter": lambda: write(PROMPTS[:1], [None]),
            "1 row, one adapter": lambda: write(PROMPTS[:1], [every[0]]),
            "16 rows, no adapter": lambda: write(PROMPTS, [None] * n_rows),
            "16 rows, one adapter": lambda: write(PROMPTS, [every[0]] * n_rows),
        },
        options.repeats,
    )
    model.attach(*map(adaptkit.load_adapter, folders[1:]))
    more = timed({"16 rows, 16 adapters": lambda: write(PROMPTS, [*every])}, options.repeats)
    print(json.dumps({what: {**found[what], **more[what]} for what in found}))


if __name__ == "__main__":
    main()
