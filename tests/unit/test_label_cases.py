"""The benchmarks of few labels and of domains, whole, on a tiny backbone and reviews written for it."""

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adaptkit.task_types import LabelledText
from benchmarks.cases import domains, few_labels
from benchmarks.right_answers import gain
from benchmarks.sentiment import DOMAINS, reviews, unlabelled
from tests.tiny import tiny_model

Written = list[Mapping[str, Any]]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Written:
    """What the cases write, with six domains at hand."""
    (tmp_path / "fdu-mtl").mkdir()
    for domain in DOMAINS:
        labelled = "\n".join(f"{n % 2}\t{domain} {('bores', 'pleases')[n % 2]} me {n}" for n in range(60))
        for part, text in (("train", labelled), ("test", labelled), ("unlabel", f"{domain} caf\u00e9\n" * 30)):
            content = text.encode("latin-1" if domain == "MR" else "utf-8")
            (tmp_path / f"fdu-mtl/{domain}.task.{part}.gz").write_bytes(gzip.compress(content))
    monkeypatch.setenv("ADAPTKIT_DATA", str(tmp_path))
    monkeypatch.setattr("adaptkit.load_model", lambda **_: tiny_model(), raising=False)
    found: Written = []
    for case in (domains, few_labels):
        monkeypatch.setattr(case, "write_result", lambda name, **result: found.append({"case": name, **result}))
    return found


@pytest.mark.usefixtures("written")
def test_reviews_are_read_in_the_encoding_of_their_files() -> None:
    assert unlabelled("MR")[0] == "MR caf\u00e9"
    assert unlabelled("books")[0] == "books caf\u00e9"
    books = reviews("books", "train")
    assert books.labels == ("negative", "positive")
    assert books.examples[0] == LabelledText(text="books bores me 0", label="negative", language="en")


def test_few_labels_sets_each_variant_beside_plain(written: Written) -> None:
    few_labels.main(["--labels", "20,30", "--seeds", "0,1", "--max-steps", "3", "--max-length", "32", "--limit", "10"])
    (result,) = written
    by_labels = result["measured"]["books"]
    assert by_labels.keys() == {"20", "30"}
    assert by_labels["20"].keys() == {"plain", *few_labels.USUAL.split(";")}
    assert by_labels["20"]["plain"]["gain"] == 0
    assert all(len(row["accuracies"]) == 2 for row in by_labels["30"].values())


@pytest.mark.parametrize("more", [[], ["--one-for-all", "--unlabelled", "12"]])
def test_domains_scores_each_target_and_all_together(written: Written, more: list[str]) -> None:
    asked = [
        *more,
        "--targets",
        "electronics,MR",
        "--seeds",
        "0",
        "--variants",
        "DANN 0.1;CORAL 1;feature distillation 0.1;head and plain;plain and plain;pseudo-labels 0.5",
        "--max-steps",
        "3",
        "--limit",
        "10",
    ]
    domains.main(asked)
    (result,) = written
    assert result["measured"]["plain"].keys() == {"books", "average", "electronics", "MR"}
    row = result["measured"]["DANN 0.1"]
    assert row.keys() == {"average", "electronics", "MR"}
    assert row["average"]["gain"] == pytest.approx((row["electronics"]["gain"] + row["MR"]["gain"]) / 2)


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("name", ["MMD 1", "CORAL", "heads"])
def test_a_variant_that_there_is_not_is_refused(name: str) -> None:
    asked = ["--targets", "MR", "--seeds", "0", "--variants", name, "--max-steps", "1", "--limit", "10"]
    with pytest.raises((KeyError, ValueError)):
        domains.main(asked)


def test_every_variant_is_one_that_can_be_asked_for() -> None:
    assert set(few_labels.USUAL.split(";")) <= few_labels.VARIANTS.keys()


def test_a_gain_is_over_examples_with_seeds_averaged() -> None:
    row = gain([np.array([1.0, 1.0, 0.0, 1.0])], [np.array([1.0, 0.0, 0.0, 1.0])])
    assert (row["mean"], row["gain"]) == (75.0, 25.0)
    assert row["interval_95"][0] <= 0
    assert row["verdict"] == "no evidence"
