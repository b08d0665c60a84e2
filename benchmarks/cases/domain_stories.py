"""A domain adapter from English children's stories, for `transfer --domain`.

`python -m benchmarks.run domain_stories --keep FOLDER [--on ADAPTER] [--max-steps N]`; the adapter is saved as FOLDER.
"""

import argparse
import gzip
import json
from pathlib import Path

import adaptkit
from adaptkit.format.typed_json import encode
from benchmarks.write_results import data_folder, write_result

_MIN_WORDS = 4


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--on", type=Path, action="append", default=[], help="adapters to train on top of")
    parser.add_argument("--max-steps", type=int)
    options = parser.parse_args(arguments)
    text = lines()
    adapter = adaptkit.train_adapter(
        domain="stories",
        lang="en",
        text=text,
        on=options.on,
        run=adaptkit.Run(max_steps=options.max_steps),
        output=adaptkit.Output(options.keep, licence="CC BY"),
    )
    config = {"on": adapter.below, "max_steps": options.max_steps, "lines": len(text)}
    print(write_result("domain_stories", seeds=[0], config=config, measured=encode(adapter.card.training)))


def lines() -> list[str]:
    """Paragraphs of a few words and more, without headings, and without the credits at the end of each story."""
    path = data_folder() / "text/asp-stories/en.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        stories = [json.loads(line)["markdown"] for line in file]
    paragraphs = [line.strip() for story in stories for line in story.partition("\n* License")[0].splitlines()]
    return [line for line in paragraphs if not line.startswith("#") and len(line.split()) >= _MIN_WORDS]
