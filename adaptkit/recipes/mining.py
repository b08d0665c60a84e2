"""The public verb `mine_pairs`: sentences of two texts that are translations of each other."""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from adaptkit.backbones.precision import bfloat16_blocks, uses_bfloat16
from adaptkit.bounds import Bounds, require_within
from adaptkit.data.direction import LOOKED_AT, Direction
from adaptkit.data.fullness import n_words
from adaptkit.data.letters import normalized
from adaptkit.data.margin import LEAST_WORDS, NEIGHBOURS, THRESHOLD, best_pairs
from adaptkit.data.mix import Texts, text_sources
from adaptkit.data.part import in_words, read_parts, text_part
from adaptkit.data.tokens import TokenStore, tokenize_lines
from adaptkit.errors import ConfigError, EmptyCorpus
from adaptkit.languages import canonical_tag, language_name
from adaptkit.model import AdaptedModel, ResolvedStack, StackLike
from adaptkit.recipes.mined_pairs import MinedPair, MinedPairs
from adaptkit.recipes.place import model_of
from adaptkit.requests import LoadedModel, Pretrained
from adaptkit.requests.output import PathOrName
from adaptkit.terminal.amounts import counted
from adaptkit.terminal.asking import as_typed, option_name
from adaptkit.terminal.console import notes_are_hidden
from adaptkit.training import open_display
from adaptkit.training.data import MIN_SENTENCES
from adaptkit.training.frozen_vectors import frozen_vectors

_BOUNDS = {"threshold": Bounds(above=0), "neighbours": Bounds(least=1), "least_words": Bounds(least=0)}
_MAX_LENGTH = 128
_FEW_PAIRS = 200
_PATHS = (str, os.PathLike)
_log = logging.getLogger("adaptkit")


def mine_pairs(
    *,
    text: Texts,
    translations: Texts,
    lang: str,
    source_lang: str = "en",
    threshold: float = THRESHOLD,
    neighbours: int = NEIGHBOURS,
    least_words: int = LEAST_WORDS,
    stack: StackLike = None,
    translations_stack: StackLike = None,
    backbone: PathOrName | Pretrained | LoadedModel | None = None,
    progress: bool = True,
) -> MinedPairs:
    """Find sentences of `text` whose translations stand in another text, which may be about the same or not.

    Sentences are compared by the frozen backbone's vectors, or those under a stack; a pair counts by how much nearer
    the two are to each other than to their neighbours in the other text (ratio margin, Artetxe and Schwenk 2019,
    arXiv:1811.01136). One round, without any training. The result can be given as `parallel=`; look at its sample
    first.

    Args:
        text: text in the language, as `train_adapter` takes it.
        translations: text in the other language.
        lang: the language of `text`.
        source_lang: the language of `translations`.
        threshold: the margin that a pair must have, mostly between 1 and 1.1; 1 is no nearer than the neighbours.
        neighbours: how many of them on each side.
        least_words: shorter sentences are left out, as very short ones are alike. In a script that puts no space
            between words, such as Thai or Chinese, each letter counts as a word.
        stack: adapters under which `text` is encoded, attached to the model that is given as `backbone`; None: none.
        translations_stack: those for `translations`.
        backbone: a hub id, a folder or a loaded model (default: the embedded one).
        progress: show counts and a sample.

    Raises:
        ConfigError: A number that cannot be right, or both languages are one.
        DataError: Text that is not there, is malformed, or has no sentence that is long enough.
        BackboneError: A backbone that cannot be loaded.
        UnknownAdapter: A stack names an adapter that is not attached.
    """
    language, source_language = canonical_tag(lang), canonical_tag(source_lang)
    if language == source_language:
        named = f"{option_name('lang')} and {option_name('source_lang')}"
        raise ConfigError(f"both texts are said to be in {language}; give two languages, as {named}.")
    require_within(_BOUNDS, threshold=threshold, neighbours=neighbours, least_words=least_words)
    model = model_of(Pretrained(backbone) if backbone is None or isinstance(backbone, _PATHS) else backbone)
    under, translations_under = model.pinned(stack), model.pinned(translations_stack)
    with open_display(shown=progress) as display:
        ours, theirs = _two_sides(_read(text, language, least_words), _read(translations, source_language, least_words))
        if (swapped := _swapped(ours, theirs)) is not None:
            (display.note if progress and not notes_are_hidden() else _log.warning)(swapped)
        found = best_pairs(
            _vectors(model, ours, under, display.note),
            _vectors(model, theirs, translations_under, display.note),
            k=neighbours,
        )
        mined = MinedPairs(
            tuple(MinedPair(theirs.lines[one.translation], ours.lines[one.text], one.margin) for one in found),
            threshold,
            len(ours.lines),
            len(theirs.lines),
            language,
            source_language,
            f"{ours.names} and {theirs.names}",
        )
        for line in [*str(mined).splitlines(), *_advice(mined)]:
            display.note(line)
    return mined


@dataclass(frozen=True)
class _Side:
    """The sentences of one language that are mined, each once, and in words where they are from."""

    lines: Sequence[str]
    language: str
    names: str


def _read(given: Texts, language: str, least_words: int) -> _Side:
    parts = [text_part(source, language) for source in text_sources(given)]
    once: dict[str, str] = {}
    for row in read_parts(parts):
        if n_words(row.text) >= least_words:
            once.setdefault(_same(row.text), row.text)
    return _Side(list(once.values()), language, in_words(parts))


def _same(line: str) -> str:
    """What is alike of lines that count as one."""
    return normalized(line, "NFC")


def _two_sides(*sides: _Side) -> tuple[_Side, _Side]:
    """Both without what stands in both: it was not translated.

    Raises:
        EmptyCorpus: Nothing is left of one.
    """
    both = set.intersection(*({_same(line) for line in side.lines} for side in sides))
    ours, theirs = (replace(side, lines=[line for line in side.lines if _same(line) not in both]) for side in sides)
    for side in (ours, theirs):
        if not side.lines:
            raise EmptyCorpus(
                f"{side.names} has no sentence to mine: all are too short, or are in the other text too. Give more "
                f"text, or a smaller {as_typed(least_words=...)}."
            )
    return ours, theirs


def _swapped(ours: _Side, theirs: _Side) -> str | None:
    """Whether each text looks like the other one's language, in a sentence."""
    first = tuple(islice(zip(theirs.lines, ours.lines, strict=False), LOOKED_AT))
    reason = Direction(first, ours.language, theirs.language).reason()
    if reason is None:
        return None
    return (
        f"warning: the two texts look swapped: {reason}. {ours.names} is given as the text in "
        f"{language_name(ours.language)}, and {theirs.names} as that in {language_name(theirs.language)}"
    )


def _vectors(
    model: AdaptedModel, side: _Side, stack: ResolvedStack, note: Callable[[str], None]
) -> NDArray[np.float32]:
    """Unit vectors of sentences under a stack. Shape: (n, width)."""
    read = model.backbone.reader(stack.reading).tokenize
    store = TokenStore(tokenize_lines(side.lines, lambda some: read(some, max_length=_MAX_LENGTH)))
    bf16 = uses_bfloat16("auto", model.backbone.device)
    what = f"the sentences in {side.language}"
    if stack.stack.parts:
        note(f"encoding {what} under {stack.stack}")
        with bfloat16_blocks(model.network, on=bf16):
            vectors = model.encode_ids(list(map(store.__getitem__, range(len(store)))), stack=stack).numpy()
    else:
        # Those of the frozen backbone are kept for later calls.
        vectors = frozen_vectors(model, store, bf16=bf16, keep=True, what=what, note=note).numpy()
    unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _advice(mined: MinedPairs) -> list[str]:
    if len(mined) >= _FEW_PAIRS:
        return []
    few = f"too few to train on ({MIN_SENTENCES} at least)" if len(mined) < MIN_SENTENCES else "few to train on"
    return [
        f"{counted(len(mined), 'pair is', 'pairs are')} {few}: mine larger texts that have more in common; "
        f"or take a lower {as_typed(threshold=...)} where the pairs left out look right"
    ]
