"""Finding translations among 1,005 sentences (`flores-retrieval`), without and with the language adapters of a zoo.

`python -m benchmarks.run retrieval --zoo adapters_zoo/multilingual-e5-small [--languages sw,ha] [--limit N]
[--source en] [--compare none,target]`. Nothing trains on these sentences. English is encoded without an adapter.
"""

import argparse
from pathlib import Path
from typing import Any

import adaptkit
from adaptkit.data.language_files import language_files
from adaptkit.format.typed_json import encode
from benchmarks.write_results import data_folder, write_result


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--zoo", type=Path, required=True)
    parser.add_argument("--languages")
    parser.add_argument("--source", default="en")
    parser.add_argument("--compare", default="none,target")
    parser.add_argument("--limit", type=int)
    options = parser.parse_args(arguments)
    folder = data_folder() / "flores-retrieval"
    every = ",".join(tag for tag in language_files(folder) if tag != options.source)
    report = adaptkit.evaluate(
        adaptkit.load_model(),
        task="retrieval",
        languages=options.languages or every,
        compare=options.compare,
        data=folder,
        zoo=options.zoo,
        source_language=options.source,
        selection=adaptkit.Selection(limit=options.limit),
    )
    print(report)
    measured: dict[str, Any] = encode(report.results)
    config = {"languages": options.languages or every, "source": options.source, "limit": options.limit}
    print(write_result("retrieval", seeds=[], config=config, measured=measured))
