"""Masked words of held-out news, filled with a language adapter, with none, and with a projection trained alone.

`python -m benchmarks.run masked_words [--language sw] [--steps 300] [--words 500] [--seeds 0] [--anchor 0]`

In each held-out sentence one word of one token is masked. An adapter is trained by masked language modelling on the
other sentences of the Voice of America and keeps its projection. `no adapter, same projection` takes the adapter away
and leaves its projection; `projection alone` is one that was trained as long on the states of the bare backbone.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import adaptkit
from adaptkit import AdaptedModel, Adapter, Mlm, Run
from adaptkit.data.corpus import open_corpus
from adaptkit.model import StackLike
from benchmarks.free_text import news
from benchmarks.write_results import write_result

TOP = 5
_LEAST_LETTERS = 3


@dataclass(frozen=True)
class Masked:
    """A sentence with a mask, and the piece that stood there."""

    text: str
    piece: str


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--language", default="sw")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--words", type=int, default=500)
    parser.add_argument("--anchor", type=float, default=0.0)
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--device", default="auto")
    options = parser.parse_args(arguments)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    model = adaptkit.load_model(device=options.device)
    lines = [*dict.fromkeys(open_corpus(news(options.language)).lines())]
    Random(0).shuffle(lines)
    held, training = masked(model, lines, options.words)
    measured = {str(seed): measure(model, options, training, held, seed) for seed in seeds}
    pieces = Counter(piece for text in training for piece in model.backbone.tokenizer.tokenize(text))
    often = [piece for piece, _ in pieces.most_common() if piece[1:].isalpha()][:TOP]
    guessed = {
        "at 1": share(one.piece == often[0] for one in held),
        "at 5": share(one.piece in often for one in held),
    }
    measured["the most frequent words"] = guessed
    print(f"{'the most frequent words':<32}{guessed}")
    config = {**vars(options), "sentences": len(training), "held_out_words": len(held)}
    print(write_result("masked_words", seeds=seeds, config=config, measured=measured))


def masked(model: AdaptedModel, lines: Sequence[str], n_words: int) -> tuple[list[Masked], list[str]]:
    """Sentences with a masked word of one token, and the sentences that are left to train on."""
    random, held = Random(1), list[Masked]()
    tokenizer = model.backbone.tokenizer
    for number, line in enumerate(lines):
        words = line.split()
        alone = [n for n, word in enumerate(words) if len(word) >= _LEAST_LETTERS and word.isalpha()]
        alone = [n for n in alone if len(tokenizer.tokenize(words[n])) == 1]
        if not alone:
            continue
        place = random.choice(alone)
        text = " ".join([*words[:place], str(tokenizer.mask_token), *words[place + 1 :]])
        held.append(Masked(text, tokenizer.tokenize(words[place])[0]))
        if len(held) == n_words:
            return held, list(lines[number + 1 :])
    raise SystemExit(f"the text has {len(held)} sentences with a word of one token, fewer than {n_words}")


def measure(
    model: AdaptedModel, options: argparse.Namespace, training: Sequence[str], held: Sequence[Masked], seed: int
) -> dict[str, Any]:
    run = Run(seed=seed, max_steps=options.steps, progress=False)
    found: dict[str, Any] = {}
    for name, warmup in (("adapter", None), ("projection alone", options.steps - 1)):
        objective = Mlm(anchor=options.anchor, keep_projection=True, head_warmup=warmup)
        adapter = adaptkit.train_adapter(
            lang=options.language, text=list(training), objective=objective, run=run, backbone=model
        )
        model.attach(adapter)
        found[name] = {**scored(model, held, adapter, adapter), **facts(adapter)}
        if warmup is None:
            found["no adapter, same projection"] = scored(model, held, None, adapter)
        model.detach(adapter.id)
    for name, scores in found.items():
        print(f"seed {seed}: {name:<32}{scores}", flush=True)
    return found


def scored(model: AdaptedModel, held: Sequence[Masked], stack: StackLike, by: StackLike) -> dict[str, float]:
    """Percent of the masked words that are first, and among the first five."""
    filled = model.fill_mask([one.text for one in held], stack=stack, by=by, top=TOP)
    told = [[token.piece for token in masks[0].tokens] for masks in filled]
    return {
        "at 1": share(one.piece == pieces[0] for one, pieces in zip(held, told, strict=True)),
        "at 5": share(one.piece in pieces for one, pieces in zip(held, told, strict=True)),
    }


def facts(adapter: Adapter) -> dict[str, float]:
    assert adapter.training is not None
    return {"elapsed_s": adapter.training.elapsed_s, "tokens_per_s": adapter.training.tokens_per_s}


def share(right: Iterable[bool]) -> float:
    """Percent of them that are."""
    answers = list(right)
    return round(100 * sum(answers) / len(answers), 1)
