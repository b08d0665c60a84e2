"""What a training costs a processor, by the time that it works for it: of any checkout of adaptkit, or of a peer.

`PYTHONPATH=CHECKOUT python THIS_FILE TASK.json`; prints one JSON line. The file names an adaptkit objective with its
text, or a module of `benchmarks.peers` with its arguments. All clocks are set to processor time before anything is
imported, so that what a side says of its own steps is that time; other work on the machine does not count.
"""

import importlib.metadata
import json
import runpy
import sys
import time
from pathlib import Path
from typing import Any

_begun = time.process_time()
time.perf_counter = time.process_time


def main() -> None:
    asked = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    if "module" in asked:
        sys.argv = [asked["module"], *asked["arguments"]]
        sys.path.pop(0)  # or the modules beside this file would be found for others of their names
        runpy.run_module(f"benchmarks.peers.{asked['module']}", run_name="__main__")
    else:
        print(json.dumps(_adaptkit(asked)))


def _adaptkit(asked: dict[str, Any]) -> dict[str, Any]:
    importlib.metadata.version = _version
    import adaptkit

    model = adaptkit.load_model()
    shared = {"backbone": model, "lang": asked["language"], "objective": asked["objective"]}
    text = {"parallel": [tuple(pair) for pair in asked["pairs"]]} if "pairs" in asked else {"text": asked["lines"]}
    started = time.process_time()
    adapter = adaptkit.train_adapter(**shared, **text, **_options(asked["options"]))
    facts = adapter.card.training
    assert facts is not None
    return {
        "tokens": facts.tokens,
        "steps": facts.steps,
        "elapsed_s": facts.elapsed_s,
        "whole_call_s": time.process_time() - started,
        "loading_s": started - _begun,
        "peak_memory_bytes": facts.peak_memory_bytes,
    }


_version_of = importlib.metadata.version


def _version(distribution_name: str) -> str:
    """A checkout from when the distribution had another name asks for that one, which is not installed."""
    return _version_of("adaptkit-nlp" if distribution_name == "adaptkit" else distribution_name)


def _options(options: dict[str, Any]) -> dict[str, Any]:
    """How a checkout takes them: as values of their kinds, or beside everything else, as all did until a6c9e06."""
    import adaptkit

    if not hasattr(adaptkit, "Run"):
        return {**options, "progress": False, "private": True}
    return {
        "method": adaptkit.Lora(rank=options["rank"]),
        "run": adaptkit.Run(progress=False, **{name: each for name, each in options.items() if name != "rank"}),
        # Vectors that a run has left for the next one would not be made again.
        "output": adaptkit.Output(private=True),
    }


if __name__ == "__main__":
    main()
