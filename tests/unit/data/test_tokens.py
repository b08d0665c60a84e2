import pytest

from adaptkit.data.tokens import TokenStore, tokenize_lines

ROWS = [[5, 2, 5], [], [7]]


def test_a_store_gives_back_what_went_in() -> None:
    store = TokenStore(iter(ROWS))
    assert [list(row) for row in store] == ROWS
    assert (len(store), store.n_tokens, store.lengths.tolist()) == (3, 4, [3, 0, 1])
    assert store.vocabulary().tolist() == [2, 5, 7]


def test_an_empty_store() -> None:
    store = TokenStore([])
    assert (len(store), store.n_tokens, store.vocabulary().tolist()) == (0, 0, [])


@pytest.mark.parametrize("row", [3, -1])
def test_there_is_no_row_outside(row: int) -> None:
    with pytest.raises(IndexError):
        TokenStore(ROWS)[row]


@pytest.mark.parametrize("other", [[[5, 2], [5], [7]], [[5, 2, 5], [7], []], [[5, 2, 4], [], [7]]], ids=str)
def test_identity_changes_with_tokens_and_with_where_sentences_end(other: list[list[int]]) -> None:
    assert TokenStore(ROWS).sha256() == TokenStore(ROWS).sha256()
    assert TokenStore(other).sha256() != TokenStore(ROWS).sha256()


def test_lines_are_tokenized_many_at_a_time() -> None:
    calls = []

    def tokenize(lines: object) -> list[list[int]]:
        assert isinstance(lines, list)
        calls.append(len(lines))
        return [[len(line)] for line in lines]

    assert [row[0] for row in tokenize_lines(("x" * (n % 7) for n in range(5000)), tokenize)] == [
        n % 7 for n in range(5000)
    ]
    assert len(calls) == 3
