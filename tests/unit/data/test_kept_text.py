"""What is kept of a text within a budget of tokens."""

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from adaptkit.data.kept_text import KeptText, kept_text
from adaptkit.data.part import Part
from adaptkit.data.sentence import Sentence


def part(n: int, length: int) -> Part:
    """So many sentences of so many tokens each."""
    return Part(
        name="", rows=lambda: (Sentence(f"{number} ".ljust(length, "x"), document=number) for number in range(n))
    )


def kept(*parts: Part, max_tokens: int | None) -> KeptText:
    def tokenize(lines: Sequence[str]) -> list[list[int]]:
        return [[1] * len(line) for line in lines]

    return kept_text(parts, None, tokenize, max_tokens=max_tokens)


@pytest.mark.parametrize("max_tokens", [None, 200, 1000])
def test_all_of_it_where_the_budget_is_enough(max_tokens: int | None) -> None:
    found = kept(part(10, 10), part(20, 5), max_tokens=max_tokens)
    assert (found.counts, len(found.tokens), found.is_cut) == ([10, 20], 30, False)
    assert [row.part for row in found.rows()] == [0] * 10 + [1] * 20


def test_of_one_text_the_beginning() -> None:
    found = kept(part(10, 10), max_tokens=35)
    assert (found.counts, found.tokens.n_tokens, found.is_cut) == ([3], 30, True)
    assert [row.document for row in found.rows()] == [0, 1, 2]


def test_of_several_small_ones_stay_whole_and_large_ones_are_cut_alike() -> None:
    found = kept(part(100, 10), part(3, 10), part(200, 5), max_tokens=430)
    assert (found.counts, found.tokens.n_tokens, found.is_cut) == ([20, 3, 40], 430, True)
    assert Counter(row.part for row in found.rows()) == {0: 20, 1: 3, 2: 40}


def test_only_the_parts_that_are_asked_for_are_read() -> None:
    read: list[int] = []

    def watched(number: int) -> Part:
        rows = part(3, 10).rows

        def reading() -> Iterator[Sentence]:
            for row in rows():
                read.append(number)
                yield row

        return Part(name="", rows=reading)

    found = kept(*map(watched, range(4)), max_tokens=200)
    read.clear()
    assert [row.part for row in found.rows({3, 1})] == [1] * 3 + [3] * 3
    assert Counter(read) == {1: 3, 3: 3}
    assert list(found.rows(set())) == []
    assert [row.part for row in found.rows()] == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3


def test_a_text_that_is_read_once_is_read_once() -> None:
    rows = iter([Sentence("a"), Sentence("b")])
    found = kept(Part(name="", rows=lambda: rows, repeatable=False), max_tokens=None)
    assert [row.text for row in found.rows()] == [row.text for row in found.rows()] == ["a", "b"]
