"""adaptkit on the same sentences, in a process of its own; prints one JSON line."""

import argparse
import json
from pathlib import Path

import adaptkit


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--max-length", type=int, required=True)
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--anchor", type=float, required=True)
    parser.add_argument("--full-vocabulary", action="store_true")
    parser.add_argument("--precision", choices=["auto", "fp32"], default="auto")
    options = parser.parse_args()

    n_lines = len(options.text.read_text(encoding="utf-8").splitlines())
    adapter = adaptkit.train_adapter(
        lang="sw",
        text=options.text,
        backbone=options.backbone,
        rank=options.rank,
        batch_size=options.batch_size,
        max_length=options.max_length,
        max_steps=n_lines // options.batch_size,
        head_warmup=0,
        anchor=options.anchor,
        full_vocabulary=options.full_vocabulary,
        precision=options.precision,
        seed=options.seed,
        progress=False,
    )
    facts = adapter.card.training
    assert facts is not None
    measured = {
        "tokens": facts.tokens,
        "steps": facts.steps,
        "elapsed_s": facts.elapsed_s,
        "peak_memory_bytes": facts.peak_memory_bytes,
    }
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
