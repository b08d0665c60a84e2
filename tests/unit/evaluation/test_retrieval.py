"""Retrieval as an evaluation: pairs of sentences, each side under its stack, and the report of what they find."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adaptkit
from adaptkit import Measuring, Output, Run, Selection
from adaptkit.errors import ConfigError, SourceNotFound
from adaptkit.evaluation import TransferResults
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.layers.sentence_vectors import SentenceVectors
from adaptkit.methods import GlossaryConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.scores import paired_difference, translation_ranks
from adaptkit.storage import Adapter
from tests.adapters import random_adapter
from tests.calls import QUIET
from tests.runs import PAIRS

LORA = AdapterConfig(method=LoraConfig(rank=4, alpha=60.0))
EXACT = Measuring(progress=False, precision="fp32")
ENGLISH, SWAHILI = ([pair[side] for pair in PAIRS] for side in (0, 1))


@pytest.fixture
def zoo(model: AdaptedModel) -> list[Adapter]:
    return [
        replace(random_adapter(model, LORA, name=tag, seed=seed), language=tag)
        for seed, tag in enumerate(("en", "sw"), start=1)
    ]


def run(model: AdaptedModel, zoo: list[Adapter], **options: Any) -> TransferResults:  # noqa: ANN401
    given = {"languages": ["sw"], "data": {"sw": PAIRS}, "measuring": QUIET, **options}
    return adaptkit.evaluate(model, task="retrieval", zoo=zoo, **given).results


def ranks(model: AdaptedModel, stack: Any, english_stack: Any) -> Any:  # noqa: ANN401
    ours, theirs = model.encode(SWAHILI, stack=stack).numpy(), model.encode(ENGLISH, stack=english_stack).numpy()
    return np.stack([translation_ranks(ours, theirs, ENGLISH), translation_ranks(theirs, ours, SWAHILI)])


def test_each_side_is_encoded_under_what_its_condition_says(model: AdaptedModel, zoo: list[Adapter]) -> None:
    found = run(model, zoo, measuring=EXACT)
    model.attach(*zoo)
    english, swahili = zoo
    expected = {
        "none": ranks(model, None, None),
        "source": ranks(model, english, english),
        "target": ranks(model, swahili, None),
    }
    stacks = {cell.condition: cell.stack for cell in found.cells}
    assert stacks == {
        "none": "none; en: none",
        "source": "language/en; en: language/en",
        "target": "language/sw; en: none",
    }
    for cell in found.cells:
        found_at = expected[cell.condition]
        hits = found_at == 1
        assert cell.scores["recall at 1"] == pytest.approx((100 * hits.mean(),))
        assert cell.scores["recall at 1, to English"] == pytest.approx((100 * hits[0].mean(),))
        assert cell.scores["recall at 5, from English"] == pytest.approx((100 * (found_at[1] <= 5).mean(),))
        assert cell.scores["MRR, to English"] == pytest.approx((100 * (1 / found_at[0]).mean(),))
        assert cell.n_examples == len(PAIRS)
    contrasts = {(one.condition, one.against): one.difference for one in found.comparisons}
    gain = paired_difference(*((expected[name] == 1).mean(axis=0) for name in ("target", "none")))
    assert contrasts["target", "none"].mean == pytest.approx(gain.mean)
    assert (contrasts["target", "none"].low, contrasts["target", "none"].high) == pytest.approx((gain.low, gain.high))
    assert contrasts.keys() == {("source", "none"), ("target", "none"), ("target", "source")}
    assert (found.seeds, found.adapters, found.majority) == ((), (), ())


def test_a_glossary_and_an_adapter_of_a_language_stand_on_its_side(model: AdaptedModel, zoo: list[Adapter]) -> None:
    config = AdapterConfig(method=GlossaryConfig(words=(SWAHILI[0].split()[0],), translations=("goat",)))
    glossary = replace(random_adapter(model, config, name="sw-glossary"), language="sw")
    found = run(model, [*zoo, glossary], compare=["target"], measuring=EXACT).cells[1]
    assert found.stack == "language/sw-glossary > language/sw; en: none"
    assert found.together == "language/sw-glossary > language/sw"
    model.attach(*zoo, glossary)
    expected = ranks(model, "language/sw-glossary > language/sw", None)
    assert found.scores["recall at 1"] == pytest.approx((100 * (expected == 1).mean(),))


def test_a_domain_adapter_stands_above_on_both_sides(model: AdaptedModel, zoo: list[Adapter]) -> None:
    domain = random_adapter(model, LORA, kind="domain", name="news", seed=5)
    found = run(
        model, zoo, domain=domain, compare=["none", "target"], measuring=Measuring(progress=False, precision="fp32")
    )
    assert [cell.stack for cell in found.cells] == [
        "domain/news; en: domain/news",
        "language/sw > domain/news; en: domain/news",
    ]
    model.attach(*zoo, domain)
    expected = ranks(model, "language/sw > domain/news", "domain/news")
    assert found.cells[1].scores["recall at 1"] == pytest.approx((100 * (expected == 1).mean(),))


def test_files_by_language_are_parallel_by_line(model: AdaptedModel, zoo: list[Adapter], tmp_path: Path) -> None:
    (tmp_path / "eng_Latn.txt").write_text("\n".join(ENGLISH), encoding="utf-8")
    (tmp_path / "swh_Latn.txt").write_text("\n".join(SWAHILI), encoding="utf-8")
    (tmp_path / "README.md").write_text("what this is", encoding="utf-8")
    of_folder, of_pairs = run(model, zoo, data=tmp_path), run(model, zoo)
    assert [cell.scores for cell in of_folder.cells] == [cell.scores for cell in of_pairs.cells]
    with pytest.raises(SourceNotFound, match=r"no file of sentences in Hausa \(ha\); it has en, sw"):
        run(model, zoo, data=tmp_path, languages="ha")
    (tmp_path / "sw.txt").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"two files of sw: sw\.txt and swh_Latn\.txt"):
        run(model, zoo, data=tmp_path)


def test_a_limit_takes_the_first_pairs_and_repeats_are_told(model: AdaptedModel, zoo: list[Adapter]) -> None:
    found = run(model, zoo, data={"sw": [*PAIRS[:8], PAIRS[0]]}, selection=Selection(limit=9), compare="none")
    assert (found.limit, found.cells[0].n_examples) == (9, 9)
    assert "sw: 1 sentence in en repeats an earlier one; the translation of either is right." in found.notes


@pytest.mark.parametrize("learned", [PAIRS, SWAHILI, [PAIRS[:9], PAIRS]])
def test_pairs_that_an_adapter_learned_from_are_told(
    model: AdaptedModel, learned: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of its text, of a source of its text, and of its text without translations."""
    adapter = trained_on(model, learned)
    told = "sw: language/sw was trained on these very sentences (its card has their hash), so its score says little"
    shown = replace(QUIET, progress=True)
    report = adaptkit.evaluate(
        model, task="retrieval", languages="sw", data={"sw": PAIRS}, zoo=[adapter], compare="target", measuring=shown
    )
    assert [note for note in report.results.notes if note.startswith(told)]
    assert told in " ".join(capsys.readouterr().err.split())
    folder = report.save(tmp_path / "report")
    for name in ("report.md", "report.html", "results.json"):
        assert "was trained on these very sentences" in (folder / name).read_text(encoding="utf-8")
    chosen = run(model, [adapter], compare="target", selection=Selection(limit=5))
    assert any(note.startswith(told) for note in chosen.notes)


@pytest.mark.parametrize("data", [PAIRS[:-1], [*PAIRS[:-1], ("Another sentence.", "Sentensi nyingine.")], PAIRS[::-1]])
def test_other_pairs_are_not_taken_for_what_was_learned(model: AdaptedModel, data: list[tuple[str, str]]) -> None:
    notes = run(model, [trained_on(model, PAIRS)], data={"sw": data}, compare="target").notes
    assert not any("was trained on" in note for note in notes)


def test_private_text_is_not_told(model: AdaptedModel) -> None:
    notes = run(model, [trained_on(model, PAIRS, output=Output(private=True))], compare="target").notes
    assert not any("was trained on" in note for note in notes)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("pairs.tsv", [f"{theirs}\t{ours}" for theirs, ours in PAIRS]),
        ("pairs.jsonl", [json.dumps({"translation": {"en": theirs, "sw": ours}}) for theirs, ours in PAIRS]),
    ],
)
def test_training_text_may_be_translations(model: AdaptedModel, tmp_path: Path, name: str, lines: list[str]) -> None:
    (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
    notes = run(model, [], compare="none", training_text=[tmp_path / name], data={"sw": PAIRS[:7]}).notes
    assert any(f"training text {name}: Of the 14 evaluation texts, 14 are in the training text" in it for it in notes)


def trained_on(model: AdaptedModel, text: list[Any], output: Output | None = None) -> Adapter:
    given: Any = {"text" if isinstance(text[0], str) else "parallel": text}
    run = Run(max_steps=1, progress=False)
    return adaptkit.train_adapter(lang="sw", backbone=model, run=run, output=output, **given)


def test_what_was_measured_is_kept(
    model: AdaptedModel, zoo: list[Adapter], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measuring = Measuring(progress=False, keep=tmp_path)
    first = run(model, zoo, measuring=measuring)
    assert len(list(tmp_path.iterdir())) == 3
    monkeypatch.setattr(type(model), "encode", None)
    assert run(model, zoo, measuring=measuring).comparisons == first.comparisons


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("text_prefix", "query: "),
        ("sentences", SentenceVectors("cls")),
        ("sentence_length", 9),
        ("tokenizer_hash", "0" * 64),
    ],
)
def test_what_is_kept_is_of_a_backbone_that_reads_so(
    model: AdaptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, other: object
) -> None:
    """The same weights, with another way from a text to them or from them to a vector, are measured anew."""
    given: dict[str, Any] = {"compare": "none", "measuring": Measuring(progress=False, keep=tmp_path)}
    run(model, [], **given)
    monkeypatch.setitem(vars(model.backbone), part, other)
    run(model, [], **given)
    assert len(list(tmp_path.iterdir())) == 2


def test_the_report_speaks_of_no_task_adapter_and_no_seeds(
    model: AdaptedModel, zoo: list[Adapter], tmp_path: Path
) -> None:
    report = adaptkit.evaluate(
        model, task="retrieval", languages="sw", data={"sw": PAIRS}, zoo=zoo, compare="target", measuring=QUIET
    )
    folder = report.save(tmp_path / "report")
    page = (folder / "report.md").read_text(encoding="utf-8")
    assert "Do language adapters help on retrieval?" in page
    assert "Translations in: English" in page
    assert "seeds" not in page.replace("so there are no seeds", "")
    assert "task adapter" not in page.replace("Task adapters: none", "")
    assert "recall at 1 (" in str(report) or "points of recall at 1" in str(report)
    rows = (folder / "results.csv").read_text(encoding="utf-8").splitlines()
    assert [row.split(",")[1] for row in rows] == ["condition", "none", "target"]


REFUSED: dict[str, dict[str, Any]] = {
    "leave adapter out": {"adapter": "adapters/topics"},
    "leave seeds out": {"seeds": 3},
    "leave reading out": {"reading": adaptkit.ReadingOptions(quoted=True)},
    "leave split and group out": {"selection": Selection(group="news")},
    "leave it out of languages=": {"languages": ["en"]},
    "retrieval needs translations": {"data": None},
    r"data=\.\.\. has no pairs in ha; it has sw": {"languages": ["ha"]},
    "there is no folder": {"data": "nowhere"},
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_is_refused(message: str, model: AdaptedModel, zoo: list[Adapter]) -> None:
    with pytest.raises((ConfigError, SourceNotFound), match=message):
        run(model, zoo, **REFUSED[message])


def test_another_task_needs_its_adapter(model: AdaptedModel) -> None:
    with pytest.raises(ConfigError, match="'xnli' is measured by a task adapter, and none is given"):
        adaptkit.evaluate(model, task="xnli", languages="sw")
