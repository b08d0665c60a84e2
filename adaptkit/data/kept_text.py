"""What of a text is trained on: all of it, or of each source as much as a budget of tokens leaves."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from adaptkit.data.letters import NormalForm
from adaptkit.data.part import Part, read_parts
from adaptkit.data.sentence import Sentence
from adaptkit.data.tokens import Tokenize, TokenStore, tokenize_lines


@dataclass(frozen=True, kw_only=True)
class KeptText:
    """The rows of all parts that are trained on, one part after the other, and the token ids of each.

    Attributes:
        tokens: ids of the rows.
        counts: rows of each part.
        is_cut: whether the budget has left something out.
    """

    tokens: TokenStore
    counts: Sequence[int]
    is_cut: bool
    parts: Sequence[Part]
    form: NormalForm | None

    def rows(self, numbers: Collection[int] | None = None) -> Iterator[Sentence]:
        """Start a reading; of the parts with these numbers alone, where they are given."""
        counts = [count if numbers is None or number in numbers else 0 for number, count in enumerate(self.counts)]
        return read_parts(self.parts, self.form, counts)


def kept_text(
    parts: Sequence[Part], form: NormalForm | None, tokenize: Tokenize, *, max_tokens: int | None
) -> KeptText:
    """Read parts until the budget is used; None is no budget.

    Of several parts that are too much together, small ones stay whole, and the larger ones are cut to one size.
    """
    parts = [part.kept() for part in parts]
    stores, cut = zip(*(_within(part, form, tokenize, max_tokens) for part in parts), strict=True)
    sizes = [store.n_tokens for store in stores]
    counts = [len(store) for store in stores]
    if max_tokens is not None and sum(sizes) > max_tokens:
        allowed = _levelled(sizes, max_tokens)
        counts = [_rows_within(store, most) for store, most in zip(stores, allowed, strict=True)]
    rows = chain.from_iterable(
        (store[row] for row in range(count)) for store, count in zip(stores, counts, strict=True)
    )
    whole = sum(counts) == sum(map(len, stores))
    return KeptText(
        tokens=stores[0] if len(stores) == 1 else TokenStore(rows),
        counts=counts,
        is_cut=any(cut) or not whole,
        parts=parts,
        form=form,
    )


def _within(part: Part, form: NormalForm | None, tokenize: Tokenize, max_tokens: int | None) -> tuple[TokenStore, bool]:
    """The tokens of a part up to the budget, and whether something is left out."""
    left_out = False

    def rows() -> Iterator[list[int]]:
        nonlocal left_out
        used = 0
        for ids in tokenize_lines((row.text for row in read_parts([part], form)), tokenize):
            used += len(ids)
            if max_tokens is not None and used > max_tokens:
                left_out = True
                return
            yield ids

    return TokenStore(rows()), left_out


def _levelled(sizes: Sequence[int], budget: int) -> list[int]:
    """How much each may have, so that all together have the budget and none that is cut has less than another."""
    allowed, left = dict.fromkeys(range(len(sizes)), 0), budget
    for n_done, number in enumerate(sorted(allowed, key=lambda number: sizes[number])):
        allowed[number] = min(sizes[number], left // (len(sizes) - n_done))
        left -= allowed[number]
    return list(allowed.values())


def _rows_within(store: TokenStore, most: int) -> int:
    return int(np.searchsorted(np.cumsum(store.lengths), most, side="right"))
