"""The whole evaluation on a tiny backbone: what is measured, kept, compared and said."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adaptkit
from adaptkit.data.tasks import Example, TaskData
from adaptkit.errors import ConfigError, DataError, SourceNotFound
from adaptkit.evaluation import TransferResults, measured
from adaptkit.evaluation.conditions import LanguageAdapters
from adaptkit.evaluation.results import Condition
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import Card, LanguageLines
from adaptkit.methods import GlossaryConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.recipes.foundation import foundation_of
from adaptkit.scores import paired_difference
from adaptkit.storage import Adapter
from adaptkit.task_types import LabelledText, Question, TaggedSentence
from tests.adapters import random_adapter
from tests.calls import QUIET, train_adapter
from tests.tiny import tiny_model
from tests.unit.heads import examples as made

LORA = AdapterConfig(method=LoraConfig(rank=4, alpha=40.0))
LANGUAGES = ("en", "sw", "ha")
EVERY = ["source", "target", "relative"]


def language(model: AdaptedModel, tag: str, seed: int) -> Adapter:
    return replace(random_adapter(model, LORA, name=tag, seed=seed), language=tag)


@pytest.fixture
def zoo(model: AdaptedModel) -> list[Adapter]:
    return [language(model, tag, seed) for seed, tag in enumerate(("en", "sw"), start=1)]


@pytest.fixture(scope="module")
def tasks() -> list[Adapter]:
    """The same task trained with two seeds, on the backbone that each test has anew."""
    model = tiny_model()
    return [
        train_adapter(
            task="topics", data=made.topics(), lang="en", backbone=model, max_steps=3, seed=seed, progress=False
        )
        for seed in (3, 4)
    ]


def data(languages: Sequence[str] = LANGUAGES) -> dict[str, TaskData]:
    texts = made.topic_texts(24)
    return {
        tag: replace(made.topics(), examples=[replace(e, text=f"{tag} {e.text}", language=tag) for e in texts])
        for tag in languages
    }


def run(
    model: AdaptedModel,
    tasks: Sequence[Adapter],
    zoo: Sequence[Adapter] | Path | None,
    **options: Any,  # noqa: ANN401
) -> TransferResults:
    arguments: dict[str, Any] = {
        "task": "topics",
        "adapter": list(tasks),
        "languages": list(LANGUAGES),
        "data": data(),
        "zoo": zoo,
        "source_language": "en",
        "selection": adaptkit.Selection(**_taken(options, "limit", "group")),
        "measuring": adaptkit.Measuring(progress=False, precision="fp32", **_taken(options, "keep")),
    }
    return adaptkit.evaluate(model, **{**arguments, **options}).results


def _taken(options: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: options.pop(name) for name in names if name in options}


def right(model: AdaptedModel, examples: Sequence[Example], stack: str) -> list[float]:
    found = model.predict(examples, stack=stack)
    return [float(p.label == e.label) for p, e in zip(found, examples, strict=True) if isinstance(e, LabelledText)]


def test_every_cell_is_what_predicting_by_hand_gives(
    model: AdaptedModel, tasks: list[Adapter], zoo: list[Adapter]
) -> None:
    results = run(model, tasks, zoo)
    assert model.attached == ()
    assert results.seeds == (3, 4)
    cells = {(cell.language, cell.condition): cell for cell in results.cells}
    assert set(cells) == {
        ("en", "none"),
        ("en", "source"),
        ("en", "target"),
        ("sw", "none"),
        ("sw", "source"),
        ("sw", "target"),
        ("ha", "none"),
        ("ha", "source"),
    }
    assert "ha: no adapter for the condition 'target'." in results.notes
    below: dict[Condition, str] = {"none": "", "source": "language/en > ", "target": "language/sw > "}
    model.attach(*zoo)
    by_hand: dict[Condition, list[list[float]]] = {}
    for condition, prefix in below.items():
        for task in tasks:
            model.attach(task)
            by_hand.setdefault(condition, []).append(right(model, data()["sw"].examples, f"{prefix}task/topics"))
            model.detach(task.id)
        cell = cells["sw", condition]
        assert cell.stack == f"{prefix}task/topics"
        assert cell.n_examples == 24
        expected = [100 * sum(hits) / len(hits) for hits in by_hand[condition]]
        assert cell.scores["accuracy"] == pytest.approx(expected)
    compared = {(c.language, c.condition, c.against): c.difference for c in results.comparisons}
    pairs: list[tuple[Condition, Condition]] = [("target", "none"), ("source", "none"), ("target", "source")]
    for condition, against in pairs:
        expected_gain = paired_difference(by_hand[condition], by_hand[against])
        found = compared["sw", condition, against]
        assert (found.mean, found.low, found.high) == pytest.approx(
            (expected_gain.mean, expected_gain.low, expected_gain.high)
        )
    assert cells["sw", "target"].adapter_bytes == zoo[1].size_bytes + tasks[0].size_bytes


def test_seeds_are_told_apart_when_one_is_attached_already(
    model: AdaptedModel, tasks: list[Adapter], zoo: list[Adapter]
) -> None:
    alone = run(model, tasks, zoo)
    model.attach(tasks[1])
    assert [cell.scores for cell in run(model, tasks, zoo).cells] == [cell.scores for cell in alone.cells]
    assert model.attached_adapter("topics") is tasks[1]


def test_an_interrupted_evaluation_goes_on(
    model: AdaptedModel, tasks: list[Adapter], zoo: list[Adapter], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stacks: list[str] = []
    measure = measured.measure

    def counted(model: AdaptedModel, stack: Any, *rest: Any, **options: Any) -> Any:  # noqa: ANN401
        if len(stacks) == 5:
            raise KeyboardInterrupt
        stacks.append(str(stack))
        return measure(model, stack, *rest, **options)

    whole = run(model, tasks, zoo)
    monkeypatch.setattr("adaptkit.evaluation.head_answers.measure", counted)
    with pytest.raises(KeyboardInterrupt):
        run(model, tasks, zoo, keep=tmp_path / "kept")
    assert model.attached == ()
    monkeypatch.setattr("adaptkit.evaluation.head_answers.measure", measure)
    first = {path: path.read_text() for path in (tmp_path / "kept").iterdir()}
    assert len(first) == 5
    resumed = run(model, tasks, zoo, keep=tmp_path / "kept")
    assert [cell.scores for cell in resumed.cells] == [cell.scores for cell in whole.cells]
    assert resumed.comparisons == whole.comparisons
    assert all(path.read_text() == content for path, content in first.items())
    monkeypatch.setattr("adaptkit.evaluation.head_answers.measure", None)
    assert run(model, tasks, zoo, keep=tmp_path / "kept").comparisons == whole.comparisons


def test_a_kept_measurement_is_of_these_examples_and_adapters(
    model: AdaptedModel, tasks: list[Adapter], zoo: list[Adapter], tmp_path: Path
) -> None:
    run(model, tasks[:1], zoo, keep=tmp_path, languages=["en"], compare=["none"])
    n_kept = len(list(tmp_path.iterdir()))
    run(model, tasks[1:], zoo, keep=tmp_path, languages=["en"], compare=["none"])
    assert len(list(tmp_path.iterdir())) == n_kept + 1
    run(model, tasks[:1], zoo, keep=tmp_path, languages=["en"], compare=["none"], limit=5)
    assert len(list(tmp_path.iterdir())) == n_kept + 2


def test_a_broken_kept_measurement_is_named(
    model: AdaptedModel, tasks: list[Adapter], zoo: list[Adapter], tmp_path: Path
) -> None:
    run(model, tasks[:1], zoo, keep=tmp_path, languages=["en"], compare=["none"])
    (kept,) = tmp_path.iterdir()
    kept.write_text("{}")
    with pytest.raises(DataError, match=kept.name):
        run(model, tasks[:1], zoo, keep=tmp_path, languages=["en"], compare=["none"])


def test_a_head_that_answers_one_label_to_all_is_told(
    model: AdaptedModel, tasks: list[Adapter], zoo: list[Adapter], tmp_path: Path
) -> None:
    (first, _) = tasks
    bias = next(name for name in first.tensors if name.startswith("head.") and name.endswith("out.bias"))
    one_sided = first.tensors[bias].clone()
    one_sided[0] += 1000
    stuck = replace(first, tensors={**first.tensors, bias: one_sided})
    model.attach(first)
    labels = {answer.label for answer in model.predict(data()["sw"].examples, stack="topics")}
    model.detach("topics")
    head = first.config.head
    assert head is not None
    said = f"sw: under the condition 'none', a head answers {head.labels[0]!r} to all of the 24 examples"
    for keep in (tmp_path / "kept", tmp_path / "kept"):
        found = run(model, [stuck], zoo, languages=["sw"], keep=keep)
        assert any(note.startswith(said) for note in found.notes)
    if len(labels) > 1:
        found = run(model, [first], zoo, languages=["sw"])
        assert not any(note.startswith("sw: under the condition 'none', a head answers") for note in found.notes)


def test_a_limit_takes_so_many_examples_and_is_told(
    model: AdaptedModel, tasks: list[Adapter], zoo: list[Adapter], tmp_path: Path
) -> None:
    report = adaptkit.evaluate(
        model,
        task="topics",
        adapter=tasks[0],
        languages=["Swahili"],
        data=data(),
        zoo=zoo,
        source_language="en",
        selection=adaptkit.Selection(limit=7),
        measuring=QUIET,
    )
    assert report.results.limit == 7
    assert {cell.n_examples for cell in report.results.cells} == {7}
    folder = report.save(tmp_path / "report")
    assert "at most 7 test examples" in (folder / "report.md").read_text()
    assert (folder / "report.html").is_file()
    with pytest.raises(ConfigError):
        report.save(folder)


def test_a_limit_takes_examples_of_all_labels(model: AdaptedModel, tasks: list[Adapter], zoo: list[Adapter]) -> None:
    in_order = {
        tag: replace(part, examples=sorted(part.examples, key=lambda example: getattr(example, "label", "")))
        for tag, part in data(["sw"]).items()
    }
    results = run(model, tasks[:1], zoo, data=in_order, languages=["sw"], compare=["none"], limit=8)
    (majority,) = results.majority
    assert majority.accuracy < 100


def test_what_was_chosen_of_the_data_is_told(model: AdaptedModel, tasks: list[Adapter], zoo: list[Adapter]) -> None:
    grouped = {
        tag: replace(part, examples=[replace(e, group="gh"[i % 2]) for i, e in enumerate(part.examples)])
        for tag, part in data(["sw"]).items()
    }
    results = run(model, tasks, zoo, data=grouped, languages=["sw"], group="h")
    assert "only examples of the group h." in results.notes
    with pytest.raises(ConfigError, match="limit must be at least 1, found -20"):
        run(model, tasks, zoo, limit=-20)


def test_labels_of_another_task_are_refused_before_any_prediction(
    model: AdaptedModel, tasks: list[Adapter], zoo: list[Adapter], monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = data()
    examples = [*foreign["ha"].examples[:-1], LabelledText(text="Dark clouds.", label="Weather", language="ha")]
    foreign["ha"] = replace(foreign["ha"], examples=examples)
    monkeypatch.setattr(AdaptedModel, "predict", lambda *_, **__: pytest.fail("predicted before the refusal"))
    with pytest.raises(
        ConfigError, match=r"row 24 of the examples in ha has the label 'Weather', and the task adapter knows"
    ):
        run(model, tasks, zoo, data=foreign)


def test_task_adapters_differ_in_their_seed_alone(
    model: AdaptedModel, tasks: list[Adapter], zoo: list[Adapter]
) -> None:
    for other in (replace(tasks[1], language="sw"), replace(tasks[1], below=("language/sw",))):
        with pytest.raises(ConfigError, match="differ in more than their seed"):
            run(model, [tasks[0], other], zoo)


def test_a_group_is_chosen_before_the_limit(model: AdaptedModel, tasks: list[Adapter], zoo: list[Adapter]) -> None:
    grouped = {
        tag: replace(found, examples=[replace(e, group="gh"[i % 2]) for i, e in enumerate(found.examples)])
        for tag, found in data().items()
    }
    results = run(model, tasks, zoo, data=grouped, group="h", limit=9)
    assert {cell.n_examples for cell in results.cells} == {9}
    with pytest.raises(SourceNotFound, match=r"no examples of group 'z'; its groups are 'g', 'h'\."):
        run(model, tasks, zoo, data=grouped, group="z")
    with pytest.raises(SourceNotFound, match=r"none of its examples names a group.*columns={'group': "):
        run(model, tasks, zoo, data=data(), group="z")


def test_the_nearest_relative_is_named(model: AdaptedModel, tasks: list[Adapter]) -> None:
    zoo = [language(model, tag, seed) for seed, tag in enumerate(("en", "rw", "yo"), start=1)]
    results = run(model, tasks, zoo, languages=["sw"], compare=["relative"])
    assert [cell.stack for cell in results.cells] == ["task/topics", "language/rw > task/topics"]
    assert "sw: its nearest relative with an adapter is rw." in results.notes


def family(model: AdaptedModel, name: str, languages: Sequence[str], seed: int) -> Adapter:
    card = Card(languages=tuple(LanguageLines(language=tag, n_lines=9) for tag in languages))
    return replace(random_adapter(model, LORA, name=name, seed=seed), language=None, card=card)


def test_a_language_without_an_adapter_has_that_of_its_family(model: AdaptedModel, tasks: list[Adapter]) -> None:
    zoo = [language(model, "en", 1), language(model, "zu", 2), family(model, "bantu", ["sw", "zu"], 3)]
    results = run(
        model, tasks, zoo, data=data(("xh", "sw", "zu")), languages=["xh", "sw", "zu"], compare=["target", "relative"]
    )
    below = {(cell.language, cell.condition): cell.stack.partition(" > ")[0] for cell in results.cells}
    assert below == {
        ("xh", "none"): "task/topics",
        ("xh", "relative"): "language/bantu",
        ("sw", "none"): "task/topics",
        ("sw", "target"): "language/bantu",
        ("sw", "relative"): "language/zu",
        ("zu", "none"): "task/topics",
        ("zu", "target"): "language/zu",
    }
    assert "xh: the adapter of its family is language/bantu, trained on sw, zu." in results.notes
    assert "sw: the adapter for the condition 'target' is language/bantu, trained on sw, zu." in results.notes


def test_an_adapter_for_several_languages_is_one_of_a_relative(model: AdaptedModel, tasks: list[Adapter]) -> None:
    # What Hausa and Swahili share has no name, so that neither is of one family with Xhosa.
    zoo = [language(model, "en", 1), family(model, "together", ["ha", "sw"], 2)]
    results = run(model, tasks, zoo, data=data(("xh",)), languages=["xh"], compare=["relative"])
    assert [cell.stack for cell in results.cells] == ["task/topics", "language/together > task/topics"]
    assert "xh: its nearest relative with an adapter is sw, in language/together, trained on ha, sw." in results.notes


def test_of_two_families_with_a_language_report_and_training_take_the_same(model: AdaptedModel) -> None:
    # The wide one shares a deeper branch; the other has fewer languages.
    wide, few = family(model, "wide", ["sw", "zu", "xh"], 1), family(model, "few", ["sw", "yo"], 2)
    for adapters in ((wide, few), (few, wide)):
        (below,) = LanguageAdapters(adapters).below("target", source="en", target="sw")
        assert below.id == "language/few"
        assert foundation_of(adapters).stack_below("sw").ids == ("language/few",)


def glossary(model: AdaptedModel, tag: str, *meanings: tuple[str, str]) -> Adapter:
    words, translations = zip(*meanings or [("goat", "mbuzi")], strict=True)
    config = AdapterConfig(method=GlossaryConfig(words=words, translations=translations))
    return replace(random_adapter(model, config, name=f"{tag}-glossary"), language=tag)


def test_a_language_has_its_glossary_and_its_adapter_below(
    model: AdaptedModel, tasks: list[Adapter], zoo: list[Adapter]
) -> None:
    glosses = glossary(model, "sw")
    results = run(model, tasks, [*zoo, glosses], languages=["sw", "rw"], data=data(("sw", "rw")), compare=EVERY)
    both = "language/sw-glossary > language/sw"
    assert {(cell.language, cell.condition): cell.stack for cell in results.cells} == {
        ("sw", "none"): "task/topics",
        ("sw", "source"): "language/en > task/topics",
        ("sw", "target"): f"{both} > task/topics",
        ("rw", "none"): "task/topics",
        ("rw", "source"): "language/en > task/topics",
        ("rw", "relative"): f"{both} > task/topics",
    }
    model.attach(*zoo, glosses, tasks[0])
    by_hand = right(model, data()["sw"].examples, f"{both} > task/topics")
    (cell,) = [cell for cell in results.cells if cell.condition == "target"]
    assert cell.scores["accuracy"][0] == pytest.approx(100 * np.mean(by_hand))
    assert f"sw: under the condition 'target', {both} are measured together, and none of them alone." in results.notes
    measured = {it.id: it.weights_sha256 for it in results.language_adapters}
    assert measured == {it.id: it.weights_sha256 for it in (*zoo, glosses)}


@pytest.mark.parametrize(
    ("task_type", "examples", "name"),
    [("tagging", made.tags, "ner"), ("classification", made.pairs, "nli"), ("qa", made.questions, "qa")],
)
def test_a_glossary_is_left_out_below_tasks_that_it_hurts(
    model: AdaptedModel,
    zoo: list[Adapter],
    tmp_path: Path,
    task_type: str,
    examples: Callable[[], TaskData],
    name: str,
) -> None:
    test = examples()
    assert test.task_type == task_type
    task = train_adapter(task=name, data=test, lang="en", backbone=model, max_steps=1, progress=False)
    for adapter in (*zoo, glossary(model, "sw"), glossary(model, "ha")):
        adapter.save(tmp_path / adapter.name)
    asked: dict[str, Any] = {"task": name, "languages": ["sw", "ha"], "data": {"sw": test, "ha": test}}
    results = adaptkit.evaluate(
        model, **asked, adapter=task, zoo=tmp_path, measuring=adaptkit.Measuring(progress=False)
    ).results
    top = f"task/{name}"
    assert {(cell.language, cell.condition): cell.stack for cell in results.cells} == {
        ("sw", "none"): top,
        ("sw", "source"): f"language/en > {top}",
        ("sw", "target"): f"language/sw > {top}",
        ("ha", "none"): top,
        ("ha", "source"): f"language/en > {top}",
    }
    (said,) = [note for note in results.notes if note.startswith("left out: ")]
    assert said.startswith("left out: language/sw-glossary, language/ha-glossary, as glossaries help single texts")
    assert "zoo=..." in said
    named = run(model, [task], [*zoo, glossary(model, "sw")], **{**asked, "languages": ["sw"]})
    assert named.cells[-1].stack == f"language/sw-glossary > language/sw > {top}"
    assert not [note for note in named.notes if note.startswith("left out: ")]


def test_a_glossary_lies_below_a_label_of_single_texts(
    model: AdaptedModel, tasks: list[Adapter], zoo: list[Adapter], tmp_path: Path
) -> None:
    for adapter in (*zoo, glossary(model, "sw")):
        adapter.save(tmp_path / adapter.name)
    for given in (None, tmp_path, tmp_path / "sw-glossary"):
        if given is None:
            model.attach(*zoo, glossary(model, "sw"))
        results = run(model, tasks, given, languages=["sw"])
        assert results.cells[-1].stack.startswith("language/sw-glossary > ")
        assert not [note for note in results.notes if note.startswith("left out: ")]


def test_what_is_attached_is_not_named(model: AdaptedModel, zoo: list[Adapter], tmp_path: Path) -> None:
    task = train_adapter(task="ner", data=made.tags(), lang="en", backbone=model, max_steps=1, progress=False)
    glosses = glossary(model, "sw")
    model.attach(*zoo, glosses)
    asked: dict[str, Any] = {"task": "ner", "languages": ["sw"], "data": {"sw": made.tags()}}
    assert run(model, [task], None, **asked).cells[-1].stack == "language/sw > task/ner"
    glosses.save(tmp_path / "sw-glossary")
    of_one = run(model, [task], tmp_path / "sw-glossary", **asked)
    assert of_one.cells[-1].stack == "language/sw-glossary > task/ner"


def test_another_glossary_of_the_same_id_is_measured_anew(
    model: AdaptedModel, tasks: list[Adapter], tmp_path: Path
) -> None:
    first, second = glossary(model, "sw"), glossary(model, "sw", ("rain", "mvua"), ("goat", "zebra"))
    model.attach(first)
    stacks, found = ["target"], []
    for one in (first, second):
        results = run(model, tasks, [one], languages=["sw"], compare=stacks, keep=tmp_path)
        found.append(results.language_adapters[0].weights_sha256)
        assert model.attached_adapter(first.id) is first
    assert found == [one.weights_sha256 for one in (first, second)]
    # What the tasks scored without it is kept once.
    assert len(list(tmp_path.iterdir())) == len(tasks) * 3


def test_a_family_stands_in_for_the_adapter_that_a_language_lacks(model: AdaptedModel) -> None:
    own, of_family = glossary(model, "sw"), family(model, "bantu", ["sw", "zu"], 3)
    for adapters in ((own, of_family), (of_family, own)):
        below = LanguageAdapters(adapters).below("target", source="en", target="sw")
        assert [adapter.id for adapter in below] == ["language/sw-glossary", "language/bantu"]
        assert foundation_of(adapters).stack_below("sw").ids == ("language/sw-glossary", "language/bantu")
        assert foundation_of(adapters).stack_below("zu").ids == ("language/bantu",)


def test_several_of_one_language_are_named(model: AdaptedModel, zoo: list[Adapter]) -> None:
    other = replace(language(model, "sw", 7), name="sw-news")
    for more in (other, glossary(model, "sw").renamed("language/sw-words")):
        with pytest.raises(ConfigError, match=f"for sw language/sw, language/sw-glossary, {more.id}"):
            LanguageAdapters((*zoo, glossary(model, "sw"), more))


def test_why_there_is_no_relative_is_said(model: AdaptedModel, tasks: list[Adapter]) -> None:
    zoo = [language(model, tag, seed) for seed, tag in enumerate(("en", "de"), start=1)]
    results = run(model, tasks, zoo, languages=["sw"], compare=["relative"])
    assert (
        "sw: no adapter for the condition 'relative': none of the others is Atlantic-Congo, as it is." in results.notes
    )


def test_leaked_test_sentences_are_reported(model: AdaptedModel, tasks: list[Adapter], zoo: list[Adapter]) -> None:
    texts = [example.text for example in data()["sw"].examples[:3] if isinstance(example, LabelledText)]
    results = run(model, tasks, zoo, training_text={"corpus": texts, "clean": ["Nothing of the kind."]})
    (note,) = [note for note in results.notes if note.startswith("training text")]
    assert note.startswith("training text corpus: ")
    assert "3" in note


def test_training_text_may_be_files(
    model: AdaptedModel, tasks: list[Adapter], zoo: list[Adapter], tmp_path: Path
) -> None:
    texts = [example.text for example in data()["sw"].examples[:3] if isinstance(example, LabelledText)]
    (tmp_path / "news.txt").write_text("\n".join(texts) + "\n")
    results = run(model, tasks, zoo, training_text=[tmp_path / "news.txt"])
    assert any(note.startswith("training text news.txt: ") for note in results.notes)


def test_adapters_that_are_attached_serve_as_zoo(model: AdaptedModel, tasks: list[Adapter], zoo: list[Adapter]) -> None:
    model.attach(*zoo, tasks[0])
    report = adaptkit.evaluate(
        model,
        task="topics",
        adapter="task/topics",
        languages=["sw"],
        data=data(),
        source_language="en",
        measuring=QUIET,
    )
    assert [cell.condition for cell in report.results.cells] == ["none", "source", "target"]
    assert len(model.attached) == 3


def test_a_domain_adapter_lies_between(model: AdaptedModel, tasks: list[Adapter], zoo: list[Adapter]) -> None:
    domain = random_adapter(model, LORA, kind="domain", name="farming", seed=7)
    results = run(model, tasks, zoo, languages=["sw"], domain=[domain])
    assert [cell.stack for cell in results.cells] == [
        "domain/farming > task/topics",
        "language/en > domain/farming > task/topics",
        "language/sw > domain/farming > task/topics",
    ]


def test_entities_that_the_head_cannot_give_are_left_out(model: AdaptedModel) -> None:
    task = train_adapter(task="ner", data=made.tags(), lang="en", backbone=model, max_steps=2, progress=False)
    test = [
        TaggedSentence(words=("Amina", "on", "Monday"), tags=("B-PER", "O", "B-DATE")),
        TaggedSentence(words=("Baraka", "sleeps"), tags=("B-PER", "O")),
    ]
    results = adaptkit.evaluate(
        model,
        task="names",
        adapter=task,
        languages=["sw"],
        data={"sw": TaskData(task_type="tagging", examples=test, labels=(), description="names")},
        zoo=[],
        compare=["none"],
        measuring=QUIET,
    ).results
    assert results.metrics == ("entity F1",)
    assert any("DATE are left out" in note for note in results.notes)


def test_questions_are_scored_by_answer_overlap(model: AdaptedModel) -> None:
    task = train_adapter(task="qa", data=made.questions(), lang="en", backbone=model, max_steps=2, progress=False)
    examples = [e for e in made.questions(6).examples if isinstance(e, Question)]
    results = adaptkit.evaluate(
        model,
        task="own questions",
        adapter=task,
        languages=["sw"],
        data={"sw": replace(made.questions(), examples=examples)},
        zoo=[],
        compare=["none"],
        measuring=QUIET,
    ).results
    (cell,) = results.cells
    assert set(cell.scores) == {"SQuAD F1", "SQuAD exact match"}
    assert 0 <= cell.scores["SQuAD F1"][0] <= 100


def test_files_and_lists_of_examples_serve_as_data(
    model: AdaptedModel, tasks: list[Adapter], zoo: list[Adapter], tmp_path: Path
) -> None:
    (tmp_path / "sw.tsv").write_text("text\tlabel\nMbuzi\tgoats\nMvua\train\n")
    given = {"swh_Latn": tmp_path / "sw.tsv", "en": made.topic_texts(8)}
    results = run(model, tasks, zoo, data=given, languages="sw, en", compare="none")
    assert {(cell.language, cell.n_examples) for cell in results.cells} == {("sw", 2), ("en", 8)}


WRONG: dict[str, dict[str, Any]] = {
    "2 task adapters given": {"seeds": 3},
    "compare has": {"compare": ["best"]},
    "has no examples in yo": {"languages": ["yo"]},
    "source_language": {"source_language": None},
}


@pytest.mark.parametrize("message", WRONG)
def test_what_cannot_be_evaluated_is_refused(
    message: str, model: AdaptedModel, tasks: list[Adapter], zoo: list[Adapter]
) -> None:
    nameless = [replace(task, language=None) for task in tasks]
    with pytest.raises((ConfigError, SourceNotFound), match=message):
        run(model, nameless, zoo, **WRONG[message])


def test_only_task_adapters_of_one_kind_are_compared(
    model: AdaptedModel, tasks: list[Adapter], zoo: list[Adapter]
) -> None:
    with pytest.raises(ConfigError, match="task adapters"):
        run(model, zoo[:1], zoo)
    assert tasks[0].card.training is not None
    other_data = replace(tasks[1], card=replace(tasks[1].card, training=tasks[0].card.training))
    with pytest.raises(ConfigError, match="differ in their seed"):
        run(model, [tasks[0], other_data], zoo)
    with pytest.raises(ConfigError, match="given twice"):
        run(model, [tasks[0], tasks[0]], zoo)
    other = replace(tasks[1], name="other")
    with pytest.raises(ConfigError, match="differ in more"):
        run(model, [tasks[0], other], zoo)


def test_similarity_is_scored_by_correlation(model: AdaptedModel, zoo: list[Adapter]) -> None:
    pairs = made.similar()
    similar = train_adapter(task="sts", data=pairs, lang="en", backbone=model, max_steps=2, progress=False)
    labelled = {
        tag: replace(pairs, examples=[replace(e, language=tag) for e in pairs.examples]) for tag in ("en", "sw")
    }
    found = run(model, [similar], zoo, task="sts", languages=["en", "sw"], data=labelled)
    assert found.metrics == ("Pearson correlation",)
    (cell,) = [cell for cell in found.cells if (cell.language, cell.condition) == ("sw", "target")]
    examples = labelled["sw"].examples
    model.attach(zoo[1], similar)
    predicted = model.predict(examples, stack="language/sw > task/sts")
    gold = [getattr(example, "score", 0.0) for example in examples]
    expected = 100 * np.corrcoef(predicted, gold)[0, 1]
    assert cell.scores["Pearson correlation"][0] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"limit": 3}, r"give it in selection=Selection\(limit=\.\.\.\)"),
        ({"batch_size": 3}, r"give it in measuring=Measuring\(batch_size=\.\.\.\)"),
        ({"columns": {"text": "a"}}, r"give it in reading=ReadingOptions\(columns=\.\.\.\)"),
        ({"sead": 3}, r"there is no option 'sead'\. Did you mean 'seeds'\?"),
    ],
)
def test_what_stands_in_a_value_is_told_its_place(model: AdaptedModel, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        adaptkit.evaluate(model, task="t", adapter="no/such/folder", languages="sw", **given)
