import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adaptkit.errors import ConfigError, DataError, SourceNotFound
from adaptkit.evaluation.report.results_file import load_results, save_results
from adaptkit.evaluation.results import Majority, TransferResults
from tests.unit.evaluation.invented import with_classes


def test_what_is_saved_is_loaded_equal(results: TransferResults, tmp_path: Path) -> None:
    limited = replace(results, limit=50, notes=("Guaraní ñandé ‘ok’ \u202e <b>",))
    for number, these in enumerate((results, limited, with_classes(results))):
        save_results(these, tmp_path / f"{number}.json")
        assert load_results(tmp_path / f"{number}.json") == these


def test_version_1_is_read_without_what_it_lacks(results: TransferResults, tmp_path: Path) -> None:
    save_results(
        replace(results, majority=(Majority(language="sw", accuracy=25.0),)), path := tmp_path / "results.json"
    )
    older = json.loads(path.read_text()) | {"adaptkit_transfer_results": 1}
    path.write_text(json.dumps({k: v for k, v in older.items() if k not in ("majority", "language_adapters")}))
    assert load_results(path) == results


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match=r"nowhere\.json"):
        load_results(tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"cells": 3}, "cells is 3, expected a list"),
        ({"seeds": ["a"]}, r"seeds\[0\]"),
        ({"extra": 1}, "unknown field 'extra'"),
        ({"adaptkit_transfer_results": 7}, "version 7"),
        ({"adaptkit_transfer_results": True}, "version True"),
        ({"adaptkit_transfer_results": None}, "version None"),
    ],
)
def test_what_does_not_fit_is_refused_by_file_and_field(
    results: TransferResults, tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    path = tmp_path / "results.json"
    save_results(results, path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(DataError, match=told) as caught:
        load_results(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"cells": NaN}', '{"a": 1, "a": 2}', "[" * 100_000])
def test_other_json_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(DataError, match=r"results\.json"):
        load_results(tmp_path / "results.json")


def test_a_value_that_is_no_json_leaves_the_old_file(results: TransferResults, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    save_results(results, path)
    for bad in (
        replace(results, notes=("half a pair \ud800",)),
        replace(results, cells=(replace(results.cells[0], examples_per_s=float("nan")),)),
    ):
        with pytest.raises(ConfigError, match="cannot be stored"):
            save_results(bad, path)
    assert load_results(path) == results
    assert list(tmp_path.iterdir()) == [path]
