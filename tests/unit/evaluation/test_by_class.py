"""Answers counted by class, and the tables of them."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from adaptkit.evaluation.by_class import ClassCounts, ClassTest, class_scores, grown_confusions
from adaptkit.evaluation.measured import Kept, Measured
from adaptkit.evaluation.report.by_class import ClassTables, changes
from adaptkit.evaluation.report.grid import Grid
from adaptkit.evaluation.report.html import render_html
from adaptkit.evaluation.report.markdown import render_markdown
from adaptkit.evaluation.report.report_folder import save_report
from adaptkit.evaluation.results import TransferResults
from adaptkit.scores import EntityF1, EntityMacroF1, paired_class_differences, paired_metric_difference
from adaptkit.task_types import HeadConfig, LabelledText, PredictedLabel
from adaptkit.task_types.tagging import PredictedTags, TaggedSentence
from tests.unit.evaluation.invented import CLASSES, with_classes

LABELS = ("goats", "rain", "snow")
GOLD = ["goats"] * 7 + ["rain"] * 9
WITHOUT = ["goats"] * 3 + ["rain"] * 4 + ["rain"] * 9
WITH = ["goats"] * 7 + ["rain"] * 6 + ["goats"] * 3


def texts(labels: Sequence[str]) -> list[LabelledText]:
    return [LabelledText(text=f"text {number}", label=label) for number, label in enumerate(labels)]


def answered(labels: Sequence[str]) -> list[PredictedLabel]:
    return [PredictedLabel(label, {}) for label in labels]


@pytest.fixture
def topics() -> ClassTest:
    test = ClassTest.of(HeadConfig(task_type="classification", labels=LABELS), "sw", texts(GOLD))
    assert test is not None
    return test


def counted(test: ClassTest, labels: Sequence[str]) -> ClassCounts:
    return test.count(answered(labels), texts(GOLD))


def test_precision_recall_and_f1_are_those_of_scikit_learn(topics: ClassTest) -> None:
    runs = {"none": [counted(topics, WITHOUT)], "target": [counted(topics, WITH)]}
    found = list(class_scores(topics, "sw", runs, np.arange(len(GOLD))))  # type: ignore[arg-type]
    assert [(it.condition, it.label) for it in found] == [
        (condition, label) for condition in ("none", "target") for label in ("goats", "rain")
    ], "nothing is snow, and nothing was taken for it"
    for answers, of_condition in zip((WITHOUT, WITH), (found[:2], found[2:]), strict=True):
        parts = precision_recall_fscore_support(GOLD, answers, labels=["goats", "rain"])
        assert [it.n for it in of_condition] == parts[3].tolist()
        for name, values in zip(("precision", "recall", "f1"), parts[:3], strict=True):
            assert [getattr(it, name) for it in of_condition] == pytest.approx((100 * values).tolist())
    assert [it.gain for it in found[:2]] == [None, None]
    gains = [it.gain.mean for it in found[2:] if it.gain]
    assert gains == pytest.approx([found[2].f1 - found[0].f1, found[3].f1 - found[1].f1])


def test_the_gain_of_a_class_is_the_paired_difference_of_its_f1(topics: ClassTest) -> None:
    """Any F1 reads three counts."""
    ours, theirs = (counted(topics, labels).statistics for labels in (WITH, WITHOUT))
    alone = paired_metric_difference(EntityF1(), ours[:, :3], theirs[:, :3])
    assert paired_class_differences(ours, theirs)[0] == alone


def test_each_class_is_summed_as_all_counts_together_are() -> None:
    random = np.random.default_rng(3)
    kinds = random.integers(9, size=(4, 40))
    statistics = np.zeros((4, 40, 10, 3))
    for seed, answers in enumerate(kinds):
        for example, (answer, right) in enumerate(zip(answers, kinds[0], strict=True)):
            statistics[seed, example, answer, 1] += 1
            statistics[seed, example, right, 2] += 1
            statistics[seed, example, right, 0] += answer == right
    ours, theirs = statistics[:3].reshape(3, 40, -1), statistics[3:].reshape(1, 40, -1)
    found = paired_class_differences(ours, theirs)
    for number in range(10):
        part = slice(3 * number, 3 * number + 3)
        assert found[number] == paired_metric_difference(EntityF1(), ours[..., part], theirs[..., part])


def test_a_class_in_few_texts_has_no_verdict(topics: ClassTest) -> None:
    runs = {"none": [counted(topics, WITHOUT)], "target": [counted(topics, GOLD)]}
    every = list(class_scores(topics, "sw", runs, np.arange(len(GOLD))))  # type: ignore[arg-type]
    assert [it.gain.verdict for it in every if it.gain] == ["helps", "helps"]
    # The seven examples of goats are five texts.
    same = np.array([0, 0, 0, *range(1, len(GOLD) - 2)])
    few = list(class_scores(topics, "sw", runs, same))  # type: ignore[arg-type]
    assert [it.gain.verdict for it in few if it.gain] == ["no evidence", "helps"]


def test_the_confusion_that_grew_most_is_found(topics: ClassTest) -> None:
    runs = {"none": [counted(topics, WITHOUT)] * 2, "target": [counted(topics, WITH)] * 2}
    (grown,) = grown_confusions(topics, "sw", runs)  # type: ignore[arg-type]
    assert (grown.right, grown.answered, grown.before, grown.after, grown.n) == ("rain", "goats", 0, 6, 18)
    assert not list(grown_confusions(topics, "sw", {"none": runs["none"], "target": runs["none"]}))


def test_entities_are_counted_by_type() -> None:
    gold = [TaggedSentence(words=("Amina", "saw", "Kano"), tags=("B-PER", "O", "B-LOC"))]
    test = ClassTest.of(HeadConfig(task_type="tagging", labels=("O", "B-PER", "I-PER", "B-LOC", "I-LOC")), "ha", gold)
    assert test is not None
    assert test.labels == ("LOC", "PER")
    counts = test.count([PredictedTags(("B-PER", "O", "O"), 3)], gold)
    assert counts.statistics.tolist() == [[0, 0, 1, 1, 1, 1]]
    assert counts.taken == {("PER", "PER"): 1, ("no entity", "no entity"): 1, ("LOC", "no entity"): 1}


def test_words_without_a_part_of_speech_are_not_counted() -> None:
    gold = [TaggedSentence(words=("Amina", "saw", "Kano"), tags=("_", "VERB", "PROPN"))]
    test = ClassTest.of(HeadConfig(task_type="pos", labels=("PROPN", "VERB")), "ha", gold)
    assert test is not None
    assert test.labels == ("PROPN", "VERB")
    counts = test.count([PredictedTags(("PROPN", "VERB", "VERB"), 3)], gold)
    assert counts.statistics.tolist() == [[0, 0, 1, 1, 2, 1]]
    assert counts.taken == {("VERB", "VERB"): 1, ("PROPN", "VERB"): 1}


def test_the_macro_score_of_entities_is_that_of_seqeval() -> None:
    from seqeval.metrics import f1_score

    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["B-ORG", "O", "B-LOC", "O"]]
    found = [["B-PER", "I-PER", "O", "B-ORG"], ["B-ORG", "O", "B-LOC", "B-LOC"]]
    metric = EntityMacroF1(("LOC", "ORG", "PER"))
    score = float(metric.score(metric.statistics(found, gold).sum(axis=0)))
    assert score == pytest.approx(100 * f1_score(gold, found, average="macro"))


def test_counts_are_kept_with_the_measurement(topics: ClassTest, tmp_path: Path) -> None:
    kept, counts = Kept(tmp_path), counted(topics, WITH)
    kept.save("this", Measured({"accuracy": np.ones((2, 2))}, 1.0, 1, by_class=counts))
    found = kept.load("this")
    assert found is not None
    assert found.by_class is not None
    assert found.by_class.taken == counts.taken
    assert np.array_equal(found.by_class.statistics, counts.statistics)


def test_the_report_says_what_changed_most(results: TransferResults) -> None:
    shown = with_classes(results)
    gains, losses, grown = changes(Grid(shown))
    assert "F1 gains most on Swahili, travel: +12.0 (+7.0 to +17.0; 40 examples); " in gains
    assert losses.startswith("F1 loses most on Swahili, entertainment: −6.0 (−11.0 to −1.0; 19 examples); ")
    assert "English" not in gains + losses, "the task was trained in it"
    assert grown.startswith("The confusion that grew most: in Bambara, ")
    assert "travel is answered as geography 30 times instead of 4, of 120 examples (3 seeds together)." in grown


def test_every_table_has_the_classes_in_one_order_and_all_their_numbers(results: TransferResults) -> None:
    shown = with_classes(results)
    tables = ClassTables(Grid(shown))
    order = list(reversed(CLASSES))
    assert tables.together is not None
    assert "9 languages together" in tables.together.title
    for table in (tables.together, *tables.of_languages):
        assert [row[0].text for row in table.rows] == order
    assert len(tables.of_languages) == 10
    for text in (render_html(shown), render_markdown(shown)):
        assert "By class" in text
        assert "R 60.0" in text
        assert "science/technology" in text
    assert "By class" not in render_html(results)


def test_a_class_that_a_test_has_no_example_of_has_no_row(results: TransferResults) -> None:
    shown = with_classes(results)
    empty = replace(shown, classes=tuple(replace(it, n=0) if it.label == "travel" else it for it in shown.classes))
    (first, *_) = ClassTables(Grid(empty)).of_languages
    assert [row[0].text for row in first.rows] == [label for label in reversed(CLASSES) if label != "travel"]


def test_classes_are_a_table_of_their_own_for_who_computes(results: TransferResults, tmp_path: Path) -> None:
    shown = with_classes(results)
    folder = save_report(shown, tmp_path / "report")
    with (folder / "classes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(shown.classes)
    (row,) = [it for it in rows if (it["language"], it["condition"], it["class"]) == ("sw", "target", "travel")]
    assert (row["n"], row["counted"], row["gain"], row["verdict"]) == ("40", "examples", "12.0", "helps")
    # What another report, or an older adaptkit, has left there goes.
    (folder / "heatmap.png").touch()
    save_report(results, folder, overwrite=True)
    assert not {"classes.csv", "heatmap.png"} & {file.name for file in folder.iterdir()}
