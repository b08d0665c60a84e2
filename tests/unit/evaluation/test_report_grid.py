from dataclasses import replace

import pytest

from adaptkit.errors import ConfigError
from adaptkit.evaluation import TransferReport
from adaptkit.evaluation.report.answers import answers
from adaptkit.evaluation.report.grid import Grid
from adaptkit.evaluation.report.summary import how_to_read, notes, verdict_counts, verdicts, warnings
from adaptkit.evaluation.report.words import language_label, listed, plain, points
from adaptkit.evaluation.results import TransferResults
from adaptkit.scores import Difference
from tests.unit.evaluation.invented import compared, invented_cell


def small(results: TransferResults) -> TransferResults:
    """en has all conditions, sw has all, dz has no target."""
    places = (("en", 80.0, 1.0, 1.0), ("sw", 60.0, 2.0, 9.0), ("dz", 20.0, -6.0, None))
    cells, comparisons = [], []
    for language, base, source, target in places:
        cells += [invented_cell(language, "none", base), invented_cell(language, "source", base + source)]
        comparisons.append(compared(language, "source", source, 3.0))
        if target is not None:
            cells.append(invented_cell(language, "target", base + target))
            comparisons.append(compared(language, "target", target, 3.0))
    exact = tuple(
        replace(cell, scores={"accuracy": (cell.scores["accuracy"][1] - 1.14, cell.scores["accuracy"][1] + 0.86)})
        for cell in cells
    )
    return replace(results, metrics=("accuracy",), seeds=(0, 1), cells=exact, comparisons=tuple(comparisons))


def test_mean_and_sample_deviation_over_seeds(results: TransferResults) -> None:
    score = Grid(small(results)).score("en", "none", "accuracy")
    assert score is not None  # 79 and 81
    assert score.mean == pytest.approx(80.0)
    assert score.sd == pytest.approx(2**0.5)


def test_one_seed_has_no_deviation(results: TransferResults) -> None:
    cell = replace(results.cells[0], scores={"accuracy": (70.0,)})
    score = Grid(replace(results, cells=(cell,), comparisons=())).score("en", "none", "accuracy")
    assert score is not None
    assert score.sd is None


def test_averages_are_over_languages_with_every_condition(results: TransferResults) -> None:
    grid = Grid(small(results))
    assert grid.with_every_score("accuracy") == grid.with_every_gain == ("en", "sw")
    averages = [grid.average_score(("en", "sw"), condition, "accuracy") for condition in grid.conditions]
    assert [round(average.mean, 6) for average in averages if average] == [70.0, 71.5, 75.0]
    gain = grid.average_gain(grid.languages, "source")
    assert gain is not None
    assert gain.mean == pytest.approx(-1.0)
    assert gain.n_languages == 3


def test_verdicts_are_told_in_words_the_target_first(results: TransferResults) -> None:
    grid = Grid(small(results))
    assert verdicts(grid) == [
        "The language's own adapter helps on Swahili; there is no evidence on English; it hurts on none.",
        "The English adapter helps on no language; there is no evidence on Swahili and English; it hurts on Dzongkha.",
    ]
    assert verdict_counts(grid, "target") == {"helps": 1, "no evidence": 1, "hurts": 0}


def test_the_answer_comes_with_its_number(results: TransferResults) -> None:
    assert answers(Grid(small(results))) == [
        "Swahili: 60.0 → 69.0, +9.0 points of accuracy (+6.0 to +12.0); the Swahili adapter helps."
    ]
    assert answers(Grid(results)) == [
        "Average over 8 languages: 64.5 → 69.2, +4.7 points of accuracy with the language's own adapter."
    ]
    assert answers(Grid(replace(results, comparisons=()))) == []


def test_where_all_was_right_already_the_answer_is_that_nothing_could_be_gained(results: TransferResults) -> None:
    perfect = {"accuracy": (100.0,), "macro_f1": (100.0,)}
    cells = tuple(
        replace(cell, scores=perfect) if cell.language == "sw" and cell.condition != "source" else cell
        for cell in small(results).cells
    )
    gains = tuple(
        replace(each, difference=Difference(mean=0.0, low=0.0, high=0.0, confidence=0.95))
        for each in small(results).comparisons
    )
    assert answers(Grid(replace(small(results), cells=cells, comparisons=gains))) == [
        "Swahili: 100.0 → 100.0, 0.0 points of accuracy (0.0 to 0.0); all was right without the Swahili adapter, so "
        "these examples leave no room for a gain: try more, or harder ones."
    ]


def test_a_printed_report_answers_for_each_language_and_condition(results: TransferResults) -> None:
    told = str(TransferReport(small(results))).splitlines()
    assert told[0].startswith("Swahili: 60.0 → 69.0")
    assert [line.split() for line in told[3:6]] == [
        ["Swahili", "60.0", "62.0", "(+2.0)", "○", "69.0", "(+9.0)", "▲"],
        ["English", "80.0", "81.0", "(+1.0)", "○", "81.0", "(+1.0)", "○"],
        ["Dzongkha", "20.0", "14.0", "(−6.0)", "▼", "–"],
    ]
    assert told[-1].startswith("Only 2 seeds")
    assert "no verdict" in str(TransferReport(replace(results, comparisons=())))


def test_languages_are_sorted_by_the_gain_of_the_target_adapter(results: TransferResults) -> None:
    assert Grid(small(results)).by_gain == ("sw", "en", "dz")


def test_without_comparisons_there_is_no_verdict(results: TransferResults) -> None:
    assert "no verdict" in verdicts(Grid(replace(results, comparisons=())))[0]


def test_limit_and_few_seeds_are_warned_of(results: TransferResults) -> None:
    assert warnings(Grid(results)) == []
    told = warnings(Grid(replace(results, limit=50, seeds=(0,))))
    assert "at most 50 test examples per language" in told[0]
    assert "Only 1 seed" in told[1]


def test_notes_come_first_and_a_missing_cell_is_named(results: TransferResults) -> None:
    told = notes(Grid(results))
    assert told[: len(results.notes)] == list(results.notes)
    assert "Not measured with the test language's own adapter: Dzongkha (dz). The tables show a dash." in told


def test_chance_is_counted(results: TransferResults) -> None:
    assert any("There are 19 gains" in text and "about 1 of them" in text for text in how_to_read(Grid(results)))


@pytest.mark.parametrize("broken", ["nothing", "twice", "compared twice", "no such cell"])
def test_results_that_make_no_grid_are_refused(results: TransferResults, broken: str) -> None:
    first = results.comparisons[0]
    with pytest.raises(ConfigError):
        Grid(
            {
                "nothing": replace(results, cells=(), comparisons=()),
                "twice": replace(results, cells=(*results.cells, results.cells[0])),
                "compared twice": replace(results, comparisons=(*results.comparisons, first)),
                "no such cell": replace(results, comparisons=(replace(first, language="fr"),)),
            }[broken]
        )


def test_points_never_hide_their_sign() -> None:
    told = [points(value) for value in (8.82, -1.4, 0.0, -0.0, 0.04, -0.004, 0.05)]
    assert told == ["+8.8", "−1.4", "0.0", "0.0", "+0.04", "−0.00", "+0.1"]


def test_a_name_that_is_no_language_stands_as_it_is() -> None:
    assert language_label("x<script>") == "x<script>"
    assert plain("a\u202eb\n\tc\x00\ud800") == "a\ufffdb c\ufffd\ufffd"


def test_long_lists_are_cut_and_counted() -> None:
    assert listed(["a"]) == "a"
    assert listed(list("abcdefghijklmn")) == "a, b, c, d, e, f, g, h, i, j, k, l and 2 more"
