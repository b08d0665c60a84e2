"""Where the embedding rows of new pieces start: at those of what they mean, as far as that is known."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adaptkit.backbones import Backbone, embedding_rows
from adaptkit.data.lexicon import Lexicon
from adaptkit.data.sentence import Sentence
from adaptkit.methods import PiecesConfig, Reading
from adaptkit.training.word_alignment import Alignment, aligned

_SAMPLED_ROWS = 5_000
_MOST_PAIRS = 10_000
_NOISE = 0.1
"""As a share of the spread of the vocabulary's rows, so that no two rows are alike."""

Shares = Mapping[int, float]
"""Token ids of the vocabulary, with how much of a row each is."""


def start_rows(
    pieces: PiecesConfig,
    backbone: Backbone,
    *,
    lexicon: Lexicon | None = None,
    pairs: Iterable[Sentence] = (),
    seed: int = 0,
) -> tuple[Tensor, int]:
    """A row for each piece, and how many of them start from a meaning.

    A piece that is a whole word of the dictionary starts from the mean of its translations' rows. Another that stands
    in sentences with translations starts from the rows of the tokens that it goes together with there. All else starts
    from the mean of the vocabulary. All have a little noise.

    Shape: (len(pieces), hidden_width), float32 on the CPU.
    """
    shares: dict[int, Shares] = {}
    shares.update(_by_translations(pieces, backbone, pairs))
    if lexicon is not None:
        shares.update(_by_dictionary(pieces, backbone, lexicon))
    mean, spread = _of_vocabulary(backbone, seed)
    noise = torch.randn(len(pieces), len(mean), generator=torch.Generator().manual_seed(seed))
    rows = mean.expand(len(pieces), -1).clone()
    for piece, row in _means(shares, backbone).items():
        rows[piece] = row
    return rows + _NOISE * spread * noise, len(shares)


def _by_dictionary(pieces: PiecesConfig, backbone: Backbone, lexicon: Lexicon) -> dict[int, Shares]:
    found: dict[int, Shares] = {}
    for number, piece in enumerate(pieces.pieces):
        word = piece.removeprefix("\u2581")
        matches = lexicon.matches(word)
        if len(matches) == 1 and matches[0].start == 0 and matches[0].end >= len(word.rstrip("\u0f0b\u0f0c")):
            ids = [token for text in matches[0].translations for token in _bare(backbone, text)]
            if ids:
                found[number] = {token: ids.count(token) / len(ids) for token in ids}
    return found


def _by_translations(pieces: PiecesConfig, backbone: Backbone, pairs: Iterable[Sentence]) -> dict[int, Shares]:
    texts = [(it.text, it.translation) for it in islice(pairs, _MOST_PAIRS) if it.translation]
    if not texts:
        return {}
    first = backbone.shape.vocabulary_size
    theirs = _known(backbone.tokenize([translation for _, translation in texts]), backbone)
    read = backbone.reader(Reading(pieces)).tokenize([text for text, _ in texts])
    ours = [{token - first for token in row if token >= first} for row in read]
    found: Alignment = aligned(ours, theirs)
    return dict(found)


def _known(rows: Iterable[Sequence[int]], backbone: Backbone) -> list[set[int]]:
    """The tokens of each text itself."""
    special, n_opening = {*backbone.tokenizer.all_special_ids}, backbone.prefix_length
    return [{token for token in row[n_opening:] if token not in special} for row in rows]


def _bare(backbone: Backbone, text: str) -> list[int]:
    ids: list[int] = backbone.tokenizer(text, add_special_tokens=False)["input_ids"]
    return [token for token in ids if token != backbone.tokenizer.unk_token_id]


def _means(shares: Mapping[int, Shares], backbone: Backbone) -> dict[int, Tensor]:
    """Of each piece, the weighted mean of those rows. Shape: each (hidden_width)."""
    if not shares:
        return {}
    ids = torch.tensor(sorted({token for own in shares.values() for token in own}))
    rows = embedding_rows(backbone.network, ids.to(backbone.device)).float().cpu()
    place = {token: number for number, token in enumerate(ids.tolist())}
    found = {}
    for piece, own in shares.items():
        weights = torch.tensor(list(own.values()))
        found[piece] = (weights / weights.sum()) @ rows[[place[token] for token in own]]
    return found


def _of_vocabulary(backbone: Backbone, seed: int) -> tuple[Tensor, float]:
    """The mean of some rows that text asks for, and their spread around it. Shape: (hidden_width)."""
    known: NDArray[np.int64] = np.arange(backbone.n_ids) if backbone.vocabulary is None else backbone.vocabulary.ids
    count = min(_SAMPLED_ROWS, len(known))
    drawn = np.sort(np.random.default_rng(seed).choice(known, count, replace=False))
    rows = embedding_rows(backbone.network, torch.from_numpy(drawn).to(backbone.device)).float().cpu()
    return rows.mean(dim=0), float(rows.std(dim=0).mean())
