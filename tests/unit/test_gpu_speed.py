"""The rows of the case `gpu_speed`, tried without a GPU: each runs, and a run loses only what a row cost it."""

import json
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.cases.gpu_speed import Measure, measure, wanted
from benchmarks.gpu_speed.book import Book
from benchmarks.gpu_speed.place import Place
from benchmarks.gpu_speed.rows import BASE, COMPILED, DECODER, OURS, PEER, SMALL, Row, all_rows
from benchmarks.gpu_speed.sides import SideProcess
from benchmarks.gpu_speed.texts import drawn_ids
from benchmarks.gpu_speed.worker import Side

PASSES = Row(OURS, "passes", {"shape": BASE, "form": "bare"})
_TRIED_WITH_BITS = ("16", "4")


def _tried() -> list[Row]:
    """One row of each kind, form and precision; the shapes are all alike when they are tiny."""
    rows = [row for row in all_rows() if row.options["shape"] in (BASE, DECODER) or row.what == "distill"]
    rows = [row for row in rows if str(row.options.get("bits", "16")) in _TRIED_WITH_BITS or row.side == PEER]
    return [row for row in rows if row.options != {"shape": BASE} and "overhead" not in row.name]


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Side]:
    place = Place(torch.device("cpu"), tmp_path_factory.mktemp("shapes"), tiny=True)
    return {side: Side(side, place) for side in (OURS, PEER, COMPILED)}


# dynamo instantiates it while it traces; its deprecation is torch's matter.
@pytest.mark.filterwarnings("ignore:.*autograd.function.Function.* should not be instantiated")
@pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings=True`")
@pytest.mark.parametrize("row", _tried(), ids=lambda row: row.name)
def test_every_kind_of_row_gives_figures(row: Row, sides: dict[str, Side]) -> None:
    found = sides[row.side].measured(row.what, row.options)
    assert "error" not in found, found["error"]
    assert found
    assert all(figure > 0 for name, figure in found.items() if not name.startswith("difference"))
    assert all(figure < 1e-2 for name, figure in found.items() if name.startswith("difference"))


def test_no_two_rows_have_one_name_and_each_side_measures_trainings() -> None:
    names = [row.name for row in all_rows()]
    assert len(set(names)) == len(names)
    trained = [row for row in all_rows() if row.what == "mlm"]
    ours, peers = (
        {(row.options["shape"], row.options["lengths"]) for row in trained if row.side == side} for side in (OURS, PEER)
    )
    assert peers <= ours


def test_rows_can_be_asked_for_by_parts_of_their_names() -> None:
    assert {row.what for row in wanted("generate;attach")} == {"generate", "attach"}
    assert wanted("") == all_rows()


def test_lengths_are_those_of_news() -> None:
    lengths = [len(row) for row in drawn_ids("news", 4000, 128, 250_037)]
    assert 36 < sum(lengths) / len(lengths) < 42
    assert max(lengths) <= 128
    assert {len(row) for row in drawn_ids("full", 5, 128, 250_037)} == {128}


def test_an_error_is_a_row_and_what_is_there_is_written_after_each(tmp_path: Path, sides: dict[str, Side]) -> None:
    book = Book(tmp_path / "result.json", {"measured": {}}, tmp_path / "rows.jsonl")
    broken = Row(OURS, "passes", {"shape": "none", "form": "bare"})
    seen: list[int] = []

    def ours(row: Row, _until: float) -> dict[str, Any]:
        seen.append(len(book.rows))
        return sides[OURS].measured(row.what, row.options)

    measure([broken, PASSES], {OURS: ours}, book, until=time.time() + 60)
    written = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["measured"]
    lines = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    assert seen == [0, 1]
    assert [line["row"] for line in lines] == list(written) == [broken.name, PASSES.name]
    assert "KeyError" in written[broken.name]["error"]
    assert written[PASSES.name]["ms"] > 0


def test_no_row_is_begun_when_the_time_is_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def never(_row: Row, _until: float) -> dict[str, Any]:
        raise AssertionError

    side: Measure = never
    measure([PASSES], {OURS: side}, Book(tmp_path / "result.json", {"measured": {}}), until=time.time())
    assert "1 rows were not measured" in capsys.readouterr().out


WORKER = """
    import json, os, sys, time
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        what = json.loads(line)["what"]
        if what == "dies":
            os.abort()
        if what == "hangs":
            time.sleep(60)
        print(json.dumps({"ms": 1.0, "pid": os.getpid(), "what": what}), flush=True)
"""


@pytest.mark.parametrize("ending", ["dies", "hangs"])
def test_a_row_that_ends_the_process_costs_that_row_only(ending: str) -> None:
    until = time.time() + 60
    row_s = 1.5 if ending == "hangs" else 30.0
    with SideProcess([sys.executable, "-c", textwrap.dedent(WORKER)], row_s=row_s) as side:
        first = side.measured(Row(OURS, "passes"), until=until)
        assert "exit status" in side.measured(Row(OURS, ending), until=until)["error"]
        again = side.measured(Row(OURS, "passes"), until=until)
    assert first["ms"] == again["ms"] == 1.0
    assert first["pid"] != again["pid"]


def test_what_is_begun_is_waited_for_before_its_side_is_asked_again() -> None:
    with SideProcess([sys.executable, "-c", textwrap.dedent(WORKER)], row_s=5) as side:
        assert side.begin(Row(OURS, "prepare", beside=True)) == {"begun": True}
        assert side.measured(Row(OURS, "passes"), until=time.time() + 30)["what"] == "passes"


def test_a_process_that_cannot_begin_is_an_error() -> None:
    with SideProcess([sys.executable, "-c", "raise SystemExit(3)"], row_s=5) as side:
        assert "exit status 3" in side.measured(PASSES, until=time.time() + 30)["error"]


def test_the_real_worker_answers_on_its_own_stream(tmp_path: Path) -> None:
    with SideProcess.of(OURS, ["cpu", str(tmp_path), "--tiny"], row_s=120) as side:
        found = side.measured(Row(OURS, "passes", {"shape": SMALL, "form": "bound"}), until=time.time() + 120)
    assert found["tokens_per_s"] > 0
