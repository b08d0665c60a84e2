"""What distillation trains on: sentences, pairs of them, and translations, each with what it is pulled towards."""

from collections.abc import Iterable, Sequence
from itertools import chain
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adaptkit.backbones import Backbone
from adaptkit.data.tokens import TokenStore, tokenize_lines
from adaptkit.objectives import Distill
from adaptkit.training.data import TrainingData
from adaptkit.training.objectives.shared_words import SharedWords
from adaptkit.training.tokenized_text import TokenizedText


def distilled_rows(
    text: TokenizedText, options: Distill, backbone: Backbone, *, depths: tuple[int, ...] = ()
) -> TrainingData:
    """The sentences, each pulled towards its translation's vector; pairs of them; translations, each towards its own.

    Pairs (`pair_share`) are one sentence with the next, itself, or any other, a third each: what a text means beside
    another is nothing that single sentences tell. Held-out sentences are in no pair. A share of the translations
    (`source_share`) trains too, so that what the backbone knows already stays as it is.

    Vectors are those after the last block, or after the blocks `depths`. What of the translations is cut is noted.
    """
    limit, n = text.max_length, len(text.tokens)
    n_measured = text.n_measured or n
    texts = [(sentence.translation or "", sentence.text) for sentence in text.sentences()]
    pairs = _pairs(n_measured, options.pair_share, text.seed, text.heldout())
    translations, n_cut = _tokenized(backbone, [translation for translation, _ in texts], limit)
    if n_cut:
        text.note(f"{n_cut:,} of {n:,} ({n_cut / n:.1%}) translations are cut at {limit} tokens")
    reader = text.reader or backbone
    ours = reader.tokenize_two([(texts[a][1], texts[b][1]) for a, b in pairs], max_length=limit)
    theirs = backbone.tokenize_two([(texts[a][0], texts[b][0]) for a, b in pairs], max_length=limit)
    # Rows in which one text was cut away, or has no tokens, have no two vectors.
    whole = [row for row, ((_, a), (_, b)) in enumerate(zip(ours, theirs, strict=True)) if a and b]
    if len(whole) < len(pairs):
        text.note(
            f"{len(pairs) - len(whole):,} of {len(pairs):,} pairs of sentences are left out: one leaves no room for two"
        )
    ours, theirs = [ours[row] for row in whole], [theirs[row] for row in whole]
    firsts = [pairs[row][0] for row in whole]
    kept, kept_pairs = (_spread(size, options.source_share) for size in (n, len(ours)))

    singles = np.zeros(n, np.int32)
    vectors = _of_translations(text, translations, depths)
    first, second = vectors, vectors[:0]
    if theirs:
        beside = TokenStore(ids for ids, _ in theirs)
        paired = text.encode(beside, "pairs of translations", blocks=depths, first_lengths=_lengths(theirs))
        first, second = torch.cat([vectors, paired[: len(theirs)]]), paired[len(theirs) :]
    # In the order of the rows: sentences, their pairs, translations, pairs of those.
    rows = chain(
        text.tokens,
        (ids for ids, _ in ours),
        (translations[row] for row in kept),
        (theirs[row][0] for row in kept_pairs),
    )
    lengths = [singles, _lengths(ours), singles[: len(kept)], _lengths([theirs[row] for row in kept_pairs])]
    n_ours, n_theirs = n + len(ours), len(kept) + len(kept_pairs)
    weights = torch.tensor([options.token_anchor] * n_ours + [1.0] * n_theirs)
    store, anchored = TokenStore(rows), None
    if text.reader is not None:
        # Where the frozen backbone has no row for a token, it has no place for it either.
        weights *= torch.tensor([max(row) < backbone.shape.vocabulary_size for row in store])
    if options.token_anchor and options.anchor_on == "shared":
        beside_them = chain(translations, (ids for ids, _ in theirs))
        anchored = _anchored_tokens(store, beside_them, n_ours, SharedWords(backbone))
        weights *= torch.tensor([any(anchored[row]) for row in range(len(store))])
    return TrainingData(
        store,
        torch.cat([first, vectors[kept], first[n:][kept_pairs], second, second[kept_pairs]]),
        text.seed,
        n_measured=n_measured,
        first_lengths=np.concatenate(lengths) if theirs else None,
        anchors=weights if options.token_anchor else None,
        anchored_tokens=anchored,
        mixture=text.mixture and text.mixture.of([*range(n), *firsts, *kept, *(firsts[row] for row in kept_pairs)]),
    )


def _of_translations(text: TokenizedText, translations: TokenStore, depths: tuple[int, ...]) -> Tensor:
    """A vector of each. A copy of a sentence has the sentence's own translation, which is encoded once."""
    places: dict[tuple[int, ...], int] = {}
    if text.n_measured:
        numbers = [places.setdefault(tuple(ids), len(places)) for ids in translations]
    repeated = 0 < len(places) < len(translations)
    store = TokenStore(places) if repeated else translations
    singles = np.zeros(len(store), np.int32)
    vectors = text.encode(store, "the translations", blocks=depths, first_lengths=singles)
    return vectors[numbers] if repeated else vectors


def _anchored_tokens(
    store: TokenStore, translations: Iterable[Sequence[int]], n_ours: int, words: SharedWords
) -> TokenStore:
    """1 for each token of the first rows that its translation has too, and for all of the others, else 0."""
    ours = (
        words.in_both(store[row], translation) for row, translation in zip(range(n_ours), translations, strict=True)
    )
    return TokenStore(chain(ours, ([1] * len(store[row]) for row in range(n_ours, len(store)))))


def _tokenized(backbone: Backbone, texts: Sequence[str], max_length: int) -> tuple[TokenStore, int]:
    """Token ids of texts, and how many of them were cut."""
    n_cut = 0

    def tokenize(lines: Sequence[str]) -> list[list[int]]:
        nonlocal n_cut
        rows = backbone.tokenize_cutting([(line, None) for line in lines], max_length=max_length)
        n_cut += sum(cut for _, cut in rows)
        return [ids for ids, _ in rows]

    return TokenStore(tokenize_lines(texts, tokenize)), n_cut


def _pairs(n: int, share: float, seed: int, heldout: Sequence[int]) -> list[tuple[int, int]]:
    random = Random(seed)  # noqa: S311 - nothing secret
    free = sorted(set(range(n)).difference(heldout))
    chosen = random.sample(range(len(free)), round(share * len(free)))
    partners = (lambda at: (at + 1) % len(free), lambda at: at, lambda _: random.randrange(len(free)))
    return [(free[at], free[random.choice(partners)(at)]) for at in chosen]


def _spread(n: int, share: float) -> list[int]:
    """Rows at even distances, so many of n."""
    rows: list[int] = np.linspace(0, n - 1, round(n * share)).astype(int).tolist()
    return rows


def _lengths(rows: Sequence[tuple[list[int], int]]) -> NDArray[np.int32]:
    return np.array([length for _, length in rows], np.int32)
