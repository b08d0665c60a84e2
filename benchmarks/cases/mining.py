"""Mining where it is known what is right: news with its translations, hidden among news without.

`python -m benchmarks.run mining [--languages sw,ha,yo] [--sentences 600] [--others 1200] [--device cuda]
[--zoo adapters_zoo/multilingual-e5-small]`; with `--zoo`, also with the text under the language's adapter of that zoo.

Of NTREX so many sentences stand on both sides; beside them stand others of the language (the Voice of America, or the
rest of NTREX) and English that is no translation of anything (LAFAND-MT, of another language). Precision and recall at
several thresholds; nothing is trained.
"""

import argparse
from typing import Any

import adaptkit
from adaptkit.data.margin import LEAST_WORDS
from adaptkit.recipes import MinedPairs
from benchmarks.cases.text_only import text_of
from benchmarks.free_text import VOA
from benchmarks.sib200 import lafand_pairs
from benchmarks.trials.texts import pairs_from
from benchmarks.write_results import write_result

THRESHOLDS = (1.0, 1.01, 1.02, 1.03, 1.04, 1.06)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--languages", default="sw,ha,yo")
    parser.add_argument("--sentences", type=int, default=600)
    parser.add_argument("--others", type=int, default=1200)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--zoo")
    options = parser.parse_args(arguments)
    model = adaptkit.load_model(device=options.device)
    measured: dict[str, Any] = {}
    for language in options.languages.split(","):
        pairs = [
            pair for pair in pairs_from("ntrex", language) if min(len(side.split()) for side in pair) >= LEAST_WORDS
        ]
        known, rest = pairs[: options.sentences], pairs[options.sentences :]
        english = [source for source, _ in lafand_pairs("ig" if language == "yo" else "yo")]
        others = text_of(language) if language in VOA else [text for _, text in rest]
        text = [*(text for _, text in known), *others[: options.others]]
        translations = [*(source for source, _ in known), *english[: options.others]]
        for stack in _stacks(model, options.zoo, language):
            mined = adaptkit.mine_pairs(
                text=text, translations=translations, lang=language, stack=stack, backbone=model, progress=False
            )
            name = language if stack is None else f"{language}, under {stack}"
            measured[name] = _measured(mined, set(known))
            print(name, measured[name], flush=True)
    config = {"sentences": options.sentences, "others": options.others, "with_zoo": options.zoo is not None}
    print(write_result("mining", seeds=[], config=config, measured=measured))


def _stacks(model: adaptkit.AdaptedModel, zoo: str | None, language: str) -> list[str | None]:
    if zoo is None:
        return [None]
    adapter = adaptkit.Zoo(zoo).load(f"language/{language}")
    model.attach(adapter)
    return [None, adapter.id]


def _measured(mined: MinedPairs, known: set[tuple[str, str]]) -> dict[str, Any]:
    found: dict[str, Any] = {"sentences": mined.n_sentences, "english": mined.n_translations, "right": len(known)}
    for threshold in THRESHOLDS:
        taken = set(mined.above(threshold))
        right = len(taken & known)
        found[f"{threshold:.2f}"] = {
            "pairs": len(taken),
            "precision": round(100 * right / max(1, len(taken)), 1),
            "recall": round(100 * right / len(known), 1),
        }
    return found
