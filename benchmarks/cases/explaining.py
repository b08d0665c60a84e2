"""What an explanation costs, and how well its words add up, by the number of steps.

`python -m benchmarks.run explaining [--steps 16,32,64] [--repeats 5]`
"""

import argparse
import statistics
import time
from typing import Any

import adaptkit
from benchmarks.write_results import write_result

SENTENCES = {
    "language/sw > task/topics": (
        "Timu yetu ilishinda mechi ya mpira jana usiku.",
        "Daktari alimpa mgonjwa dawa ya malaria.",
        "Bunge lilipiga kura kuhusu sheria mpya ya uchaguzi.",
        "Mlima huu mrefu uko kaskazini mwa nchi.",
    ),
    "language/ha > task/topics": (
        "Ƙungiyarmu ta ci wasan ƙwallon ƙafa jiya.",
        "Likita ya ba mara lafiya magani.",
        "Majalisa ta amince da sabuwar doka.",
    ),
}
"""Written for this."""


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", default="16,32,64")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--zoo", default="adapters_zoo")
    options = parser.parse_args(arguments)
    model = adaptkit.load_model()
    model.attach_zoo(options.zoo)
    given = [(text, stack) for stack, texts in SENTENCES.items() for text in texts]
    for text, stack in given:
        model.explain(text, stack=stack, how=adaptkit.Explaining(steps=2, most_steps=2))
    measured = {
        f"{steps} steps": _measured(model, given, int(steps), options.repeats) for steps in options.steps.split(",")
    }
    measured["predict"] = {
        "seconds": _median(lambda text, stack: model.predict([text], stack=stack), given, options.repeats)
    }
    for name, found in measured.items():
        print(name, found, flush=True)
    print(write_result("explaining", seeds=[0], config=vars(options), measured=measured))


def _measured(model: Any, given: list[tuple[str, str]], steps: int, repeats: int) -> dict[str, Any]:  # noqa: ANN401
    """Seconds a sentence, and the gaps; a small batch's rows are what one step reads."""
    how = adaptkit.Explaining(steps=steps, most_steps=steps)
    found = [model.explain(text, stack=stack, how=how) for text, stack in given]
    return {
        "seconds": _median(lambda text, stack: model.explain(text, stack=stack, how=how), given, repeats),
        "mean_tokens": statistics.fmean(len(row) for row in model.backbone.tokenize([text for text, _ in given])),
        "median_relative_gap": statistics.median(each.relative_gap for each in found),
        "largest_relative_gap": max(each.relative_gap for each in found),
    }


def _median(call: Any, given: list[tuple[str, str]], repeats: int) -> float:  # noqa: ANN401
    """The median over repeats of the mean time of a sentence."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        for text, stack in given:
            call(text, stack)
        times.append((time.perf_counter() - started) / len(given))
    return statistics.median(times)
