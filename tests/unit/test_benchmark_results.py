"""What is said of benchmark results: the comparison, and the page."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import page, results_files
from benchmarks.cases.mlm_training import LAYER_FLOPS, PASSES, with_roofline
from benchmarks.compare import differences
from benchmarks.results_files import Result

FACTS = {
    "date": "2026-11-22T00:00:00+00:00",
    "commit": "0123456789",
    "hardware": {"cores": 2, "cpu": "any"},
    "versions": {"torch": "1", "transformers": "2", "peft": "3"},
}


def result(measured: dict[str, Any], *, case: str = "task_training", **config: object) -> Result:
    return Result("now.json", {**FACTS, "case": case, "config": config, "measured": measured})


def test_what_changed_is_told_and_what_did_not_is_not() -> None:
    old = result({"adaptkit": {"pairs_per_s": 40.0, "steps": 20, "gone": 1}, "name": "text"})
    new = result({"adaptkit": {"pairs_per_s": 30.0, "steps": 20.5, "fresh": 1, "ok": True}})
    assert differences(new, old, over=0.05) == [
        "adaptkit / pairs_per_s: 40 -> 30 (0.75 x)",
        "adaptkit / fresh: new",
        "adaptkit / gone: gone",
    ]
    assert differences(old, old, over=0.0) == ["nothing changed by more than 0%"]


def test_only_the_same_settings_are_compared() -> None:
    assert result({}, steps=3).key == result({"a": 1}, steps=3).key != result({}, steps=4).key


def test_the_page_shows_the_newest_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "DOCS", tmp_path)
    monkeypatch.setattr(results_files, "RESULTS", tmp_path)
    row = {"elapsed_s": 1.0, "speed_over_peer": 2.0, "memory_over_peer": 0.5, "peak_memory_bytes": 2**30}
    for name, rate in (("20260101-a.json", 11.0), ("20260102-a.json", 12.0)):
        measured = {"adaptkit": {**row, "pairs_per_s": rate, "heldout_accuracy": 0.5}}
        content = result(measured, steps=20, repeats=3).content
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    points = {str(n): {"tokens_per_s": 9.0, "peak_memory_bytes": 2**30} for n in (32, 64)}
    growth = result({"length": points}, case="growth").content
    (tmp_path / "20260103-growth.json").write_text(json.dumps(growth), encoding="utf-8")
    page.main()
    text = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert "| adaptkit | 12.0 | 2.00 x | 1.00 | 0.500 | 50.0 % |" in text
    assert "11.0" not in text
    assert "same number of steps. 20 steps, medians of 3 runs." in text
    assert (tmp_path / "benchmarks" / "length-tokens-per-s.png").read_bytes().startswith(b"\x89PNG")


def test_a_share_of_the_roofline_is_that_of_the_type_that_was_used() -> None:
    token = LAYER_FLOPS * PASSES
    roofline = {"float32_flops": 100.0 * token, "bfloat16_flops": 20.0 * token}
    results = {
        name: {"tokens_per_s": 10.0, "computed_in": computed_in}
        for name, computed_in in (("full", "float32"), ("half", "bfloat16"))
    }
    found = with_roofline(results, roofline)
    assert (found["full"]["share_of_roofline"], found["half"]["share_of_roofline"]) == (0.1, 0.5)
    assert found["roofline"] == roofline


@pytest.mark.parametrize(
    ("row", "title", "cell"),
    [
        ({"share_of_roofline": 0.1, "computed_in": "float32"}, "of the roofline", "10.0 % (float32)"),
        ({"share_of_bf16_roofline": 0.2}, "of the bf16 roofline", "20.0 %"),
    ],
)
def test_the_page_reads_both_kinds_of_roofline(
    row: dict[str, Any], title: str, cell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "DOCS", tmp_path)
    monkeypatch.setattr(results_files, "RESULTS", tmp_path)
    measured = {"adaptkit": {"elapsed_s": 1.0, "tokens_per_s": 9.0, **row}, "roofline": {"float32_flops": 1.0}}
    content = result(measured, case="mlm_training", full_length=False, steps=20, repeats=1).content
    (tmp_path / "20260101-a.json").write_text(json.dumps(content), encoding="utf-8")
    page.main()
    lines = (tmp_path / "benchmarks.md").read_text(encoding="utf-8").splitlines()
    assert f"| | tokens/s | {title} |" in lines
    assert f"| adaptkit | 9 | {cell} |" in lines
