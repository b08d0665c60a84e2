"""Every form of the embedding table against the plain one."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from adaptkit.attaching.places import Places
from adaptkit.backbones.looked_up import LookedUp
from adaptkit.backbones.stored_tensors import StoredTensor, stored_tensors_of
from adaptkit.backbones.table_source import TableSource
from adaptkit.backbones.tables.paged import PagedRows
from adaptkit.backbones.tables.resident import ResidentRows
from adaptkit.backbones.word_embeddings import TrimmedEmbeddings
from adaptkit.data.batch_shapes import BatchShape
from adaptkit.errors import ConfigError, CorruptBackbone
from adaptkit.holding import EMBEDDING_FORMS

N_ROWS, WIDTH = 300, 40
ROW_BYTES = WIDTH * 4


@pytest.fixture
def table() -> Tensor:
    return torch.randn(N_ROWS, WIDTH, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def stored(table: Tensor, tmp_path: Path) -> StoredTensor:
    save_file({"other": torch.ones(3), "table": table}, tmp_path / "model.safetensors")
    return stored_tensors_of(str(tmp_path), "bert")["table"]


def some_ids(n: int = 50, seed: int = 1) -> Tensor:
    return torch.randint(N_ROWS, (2, n), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("n_cached", [1, 7, 60, N_ROWS, 10 * N_ROWS])
def test_paged_rows_are_exact_whatever_the_cache_holds(n_cached: int, table: Tensor, stored: StoredTensor) -> None:
    paged = PagedRows(TableSource(stored, cache_bytes=n_cached * ROW_BYTES))
    for seed in range(12):
        ids = some_ids(seed=seed)
        assert torch.equal(paged(ids), functional.embedding(ids, table))
        assert paged.cached_bytes <= n_cached * ROW_BYTES + 20 * N_ROWS


@pytest.mark.parametrize("name", EMBEDDING_FORMS)
@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_looking_up_each_id_gives_what_looking_up_distinct_ones_does(
    name: str, scale: float, stored: StoredTensor
) -> None:
    held = EMBEDDING_FORMS[name].table()(TableSource(stored, cache_bytes=20 * ROW_BYTES))
    held.scale = scale
    ids = some_ids()
    distinct, places = torch.unique(ids, return_inverse=True)
    assert torch.equal(held(ids), scale * held.rows(distinct)[places])
    if held.each_on_gpu:
        assert torch.equal(held._of_each(ids), held._of_distinct(ids))


def test_rows_in_use_stay_and_the_oldest_go(table: Tensor, stored: StoredTensor) -> None:
    paged = PagedRows(TableSource(stored, cache_bytes=3 * ROW_BYTES))
    read: list[list[int]] = []
    really_read = paged._reader.read
    paged._reader.read = lambda rows: (read.append(rows.tolist()), really_read(rows))[1]  # type: ignore[method-assign,func-returns-value]
    for ids in ([1, 2, 3], [1, 2], [4], [1, 2, 4], [3]):
        assert torch.equal(paged(torch.tensor(ids)), table[ids])
    assert read == [[1, 2, 3], [4], [3]]


def test_threads_may_look_up_at_once(table: Tensor, stored: StoredTensor) -> None:
    paged = PagedRows(TableSource(stored, cache_bytes=20 * ROW_BYTES))

    def looks_right(seed: int) -> bool:
        ids = some_ids(seed=seed)
        return torch.equal(paged(ids), functional.embedding(ids, table))

    with ThreadPoolExecutor(max_workers=8) as pool:
        assert all(pool.map(looks_right, range(200)))


def test_a_cache_for_less_than_a_row_is_refused(stored: StoredTensor) -> None:
    with pytest.raises(ConfigError, match="holds no row"):
        PagedRows(TableSource(stored, cache_bytes=ROW_BYTES - 1))


def test_a_file_that_was_cut_while_in_use_is_told(stored: StoredTensor) -> None:
    paged = PagedRows(TableSource(stored))
    with stored.path.open("r+b") as file:
        file.truncate(stored.offset + 10 * stored.row_bytes)
    assert paged(torch.tensor([3])).shape == (1, WIDTH)
    with pytest.raises(CorruptBackbone, match="ends early"):
        paged(torch.tensor([N_ROWS - 1]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", EMBEDDING_FORMS)
def test_rows_are_as_near_as_the_form_says(name: str, dtype: torch.dtype, table: Tensor, stored: StoredTensor) -> None:
    ids, form = some_ids(), EMBEDDING_FORMS[name]
    worst = {"yes": 0.004, "nearly": 0.01, "no": 0.12}[form.exact]
    given = form.table()(TableSource(stored, dtype=dtype))(ids)
    assert given.dtype == dtype
    assert given.shape == (2, 50, WIDTH)
    expected = functional.embedding(ids, table)
    assert float((given.float() - expected).norm() / expected.norm()) < worst


@pytest.mark.parametrize("name", [name for name in EMBEDDING_FORMS if name != "paged"])
def test_kept_rows_are_the_same_as_in_the_whole_table(
    name: str, stored: StoredTensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adaptkit.backbones.table_source._ROWS_AT_ONCE", 64)
    kept = np.array([0, 3, 63, 64, 200, 299])
    form = EMBEDDING_FORMS[name].table()
    whole, part = form(TableSource(stored)), form(TableSource(stored, kept))
    assert torch.equal(part(torch.arange(len(kept))), whole(torch.from_numpy(kept)))
    held = [sum(buffer.numel() for buffer in table.buffers()) for table in (part, whole)]
    assert held[0] < held[1] / 10


def trimmed(stored: StoredTensor, *, paged: bool) -> TrimmedEmbeddings:
    kept = np.array([2, 3, 50, 51, 280])
    rows = PagedRows(TableSource(stored)) if paged else ResidentRows(TableSource(stored, kept))
    return TrimmedEmbeddings(rows, kept, N_ROWS, lambda token_id: (50, 280) if token_id == 100 else (3,))


@pytest.mark.parametrize("paged", [True, False])
def test_token_ids_stay_as_they_were(paged: bool, table: Tensor, stored: StoredTensor) -> None:
    made = trimmed(stored, paged=paged)
    ids = torch.tensor([[51, 2], [280, 51]])
    assert torch.equal(made(ids), functional.embedding(ids, table))
    assert made.n_replaced == 0


@pytest.mark.parametrize("paged", [True, False])
def test_a_dropped_id_is_its_letters_or_unknown_and_counted(paged: bool, table: Tensor, stored: StoredTensor) -> None:
    made = trimmed(stored, paged=paged)
    given = made(torch.tensor([[100, 51, 7], [100, 3, 50]]))
    letters = (table[50] + table[280]) / 2
    expected = torch.stack([letters, table[51], table[3], letters, table[3], table[50]]).view(2, 3, WIDTH)
    torch.testing.assert_close(given, expected)
    assert made.n_replaced == 3


def test_dropped_ids_are_counted_in_a_recorded_pass_too(stored: StoredTensor) -> None:
    made = trimmed(stored, paged=False)
    ids, mask = torch.tensor([[100, 51, 7]]), torch.ones(1, 3, dtype=torch.long)
    places = Places.padded(BatchShape(1, 3), (ids, mask), [LookedUp(made)])
    before = made.n_replaced
    made.fetch(ids, ids)
    assert made.n_replaced == before
    places.fill((ids, mask))
    assert made.n_replaced == before + 2
