"""How strongly a language adapter should act below a task."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

import adaptkit
from adaptkit import MeasuredStrength, Strengths
from adaptkit.backbones.precision import is_in_bfloat16_blocks
from adaptkit.errors import AdaptkitError, ConfigError
from adaptkit.evaluation import strengths
from adaptkit.evaluation.measured import Measured, measure
from adaptkit.evaluation.strengths import taken_of
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.model import AdaptedModel
from adaptkit.scores import Difference, paired_difference
from adaptkit.storage import Adapter
from adaptkit.task_types import HeadConfig, LabelledText, TaggedSentence
from tests.adapters import random_adapter
from tests.glossaries import GLOSSARY
from tests.pieces import OWN_PIECES
from tests.tiny import tiny_model, unigram_model
from tests.unit.evaluation.test_named_stack import LORA, TEST, TOPICS, hits, task


@pytest.fixture(scope="module")
def sw() -> Adapter:
    return random_adapter(tiny_model(), AdapterConfig(method=LORA), seed=21)


@pytest.fixture(scope="module")
def seeds() -> list[Adapter]:
    return [task("topics", TOPICS, 8), task("topics", TOPICS, 3)]


def measured(model: AdaptedModel, tasks: Adapter | Sequence[Adapter], sw: Adapter, **options: object) -> Strengths:
    asked: dict[str, object] = {"zoo": [sw], "data": {"sw": TEST}, "precision": "fp32", "progress": False, **options}
    return adaptkit.compare_strengths(model, task="topics", adapter=tasks, language="sw", **asked)  # type: ignore[arg-type]


def test_each_strength_is_scored_as_its_stack_answers(model: AdaptedModel, sw: Adapter, seeds: list[Adapter]) -> None:
    found = measured(model, seeds, sw, strengths=[2, 0.5])
    assert model.attached == ()
    assert (found.task, found.language, found.metric, found.n_examples) == ("topics", "sw", "accuracy", len(TEST))
    assert [(it.strength, it.stack) for it in found.measured] == [
        (0, "task/topics"),
        (0.5, "average(language/sw: 0.5) > task/topics"),
        (1, "language/sw > task/topics"),
        (2, "average(language/sw: 2.0) > task/topics"),
    ]
    by_hand = {it.stack: [hits(model, [sw, each], it.stack) for each in seeds] for it in found.measured}
    for it in found.measured:
        assert it.score == pytest.approx(100 * fmean(map(fmean, by_hand[it.stack])))
        if it.gain is not None:
            expected = paired_difference(by_hand[it.stack], by_hand["task/topics"])
            assert (it.gain.mean, it.gain.low) == pytest.approx((expected.mean, expected.low))
    assert [it.gain is None for it in found.measured] == [True, False, False, False]
    assert len({tuple(map(tuple, each)) for each in by_hand.values()}) > 1


def test_names_are_read_at_a_quarter_unless_something_is_surely_better(model: AdaptedModel, sw: Adapter) -> None:
    names = HeadConfig(task_type="tagging", labels=("O", "B-PER", "I-PER"))
    tagger = task("names", names, 5)
    weak = "average(language/sw: 0.25) > task/names"
    texts = [it.text.split() for it in TEST if isinstance(it, LabelledText)]
    model.attach(sw, tagger)
    tags = [answer.tags for answer in model.predict(texts, stack=weak)]
    model.detach(sw.id, tagger.id)
    told = [TaggedSentence(words=tuple(words), tags=tuple(found)) for words, found in zip(texts, tags, strict=True)]
    found = adaptkit.compare_strengths(
        model,
        task="names",
        adapter=tagger,
        language="sw",
        zoo=[sw],
        data={"sw": told},
        strengths=[0.5],
        precision="fp32",
        progress=False,
    )
    assert [it.strength for it in found.measured] == [0, 0.25, 0.5, 1]
    assert (found.stack, found.taken.score) == (weak, 100)
    assert "which was best for names in other languages" in found.chosen


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_each_strength_is_measured_in_the_numbers_asked_for(
    precision: str, model: AdaptedModel, sw: Adapter, seeds: list[Adapter], monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow: list[bool] = []

    def noted(*asked: Any, **options: Any) -> Measured:  # noqa: ANN401
        narrow.append(is_in_bfloat16_blocks(model.network))
        return measure(*asked, **options)

    monkeypatch.setattr(strengths, "measure", noted)
    measured(model, seeds, sw, strengths=[0.5], precision=precision)
    assert narrow == [precision == "bf16"] * 3 * len(seeds)
    assert not is_in_bfloat16_blocks(model.network)


def test_of_a_benchmark_the_development_split_is_read(model: AdaptedModel, sw: Adapter, tmp_path: Path) -> None:
    head = HeadConfig(task_type="classification", labels=adaptkit.TASKS["sib200"].labels)
    for split, n in (("dev", 3), ("test", 2)):
        rows = "".join(f"{number}\thealth\tDaktari {number}\n" for number in range(n))
        file = tmp_path / "sib200" / "swh_Latn" / f"{split}.tsv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"index_id\tcategory\ttext\n{rows}", encoding="utf-8")
    options: dict[str, Any] = {"task": "sib200", "adapter": task("sib", head, 8), "language": "sw", "zoo": [sw]}
    options |= {"data": tmp_path, "progress": False}
    assert adaptkit.compare_strengths(model, **options).n_examples == 3


def silenced(task: Adapter) -> Adapter:
    """The same, which always answers one label, whatever is below it."""
    tensors = {name: it * 0 if "head" in name and "weight" in name else it for name, it in task.tensors.items()}
    return replace(task, tensors=tensors)


def test_what_gains_nothing_is_left_out(model: AdaptedModel, sw: Adapter, seeds: list[Adapter]) -> None:
    found = measured(model, [silenced(seeds[0])], sw)
    assert {it.score for it in found.measured} == {found.taken.score}
    assert found.stack == "task/topics"
    assert "leave it out" in str(found)
    answers = [note for note in found.notes if "a head answers" in note]
    assert [note.partition(", a head")[0] for note in answers] == [f"sw: under {it.stack}" for it in found.measured]
    assert all(f"to all of the {len(TEST)} examples, where other labels are right too" in note for note in answers)
    assert all(note in str(found) for note in answers)


def test_texts_that_are_few_or_repeated_are_told(model: AdaptedModel, sw: Adapter, seeds: list[Adapter]) -> None:
    found = measured(model, seeds, sw, data={"sw": [*TEST[:5], TEST[0]]})
    told = "sw: 6 test rows repeat 5 texts. Rows of one text are drawn together in intervals. Fewer than 6 different "
    assert any(note.startswith(told) for note in found.notes)
    assert all(it.gain is None or it.gain.low <= 0 <= it.gain.high for it in found.measured)
    assert not any("test rows" in note for note in measured(model, seeds, sw).notes)


def test_full_strength_is_left_only_for_what_is_surely_better(
    model: AdaptedModel, sw: Adapter, seeds: list[Adapter]
) -> None:
    """Labels are what a stack answers, which is then right in all."""
    half, full = "average(language/sw: 0.5) > task/topics", "language/sw > task/topics"
    of_half, of_full = (labelled_by(model, [sw, seeds[0]], stack) for stack in (half, full))
    apart = [one for one, other in zip(of_half, of_full, strict=True) if one != other]
    assert len(apart) > 5
    found = measured(model, seeds[0], sw, data={"sw": of_half}, strengths=[0.5])
    assert (found.taken.score, found.stack) == (100, half)
    assert "better here than full strength" in found.chosen
    # Six texts on which half is right and full strength wrong are a verdict; five are too few, however often they come.
    assert measured(model, seeds[0], sw, data={"sw": apart[:6]}, strengths=[0.5]).stack == half
    assert measured(model, seeds[0], sw, data={"sw": apart[:5] * 3}, strengths=[0.5]).stack != half
    assert measured(model, seeds[0], sw, data={"sw": of_full}, strengths=[0.5]).stack == full


def gain(mean: float, low: float) -> Difference:
    return Difference(mean=mean, low=low, high=2 * mean - low, confidence=0.95)


@pytest.mark.parametrize(
    ("scores", "sure", "helping", "taken", "said"),
    [
        ((60, 63, 62, 60), (0.5,), (), 0.5, "2.0 points better here than full strength (1.0 to 3.0); it was chosen"),
        ((60, 63, 62, 58), (), (0.25,), 0.25, "3.0 points better here than no adapter (1.0 to 5.0); it was chosen"),
        ((60, 60, 60, 58), (0.25, 0.5, 0), (), 0, "2.0 points better here than full strength (1.0 to 3.0)"),
        ((60, 60, 59, 58), (0.25, 0.5), (), 0, "so leave it out"),
        ((60, 63, 59, 58), (), (), 0, "so leave it out"),
        ((60, 63, 62, 61), (), (0.25,), 1, "nothing is surely better here than full strength"),
    ],
    ids=["not-the-highest", "helps-alone", "ties", "less-than-none", "unsure", "full"],
)
def test_the_strength_taken_is_the_best_of_those_that_are_sure(
    scores: tuple[float, ...], sure: tuple[float, ...], helping: tuple[float, ...], taken: float, said: str
) -> None:
    """`sure` are surely better than full strength, `helping` surely better than no adapter."""
    of = dict(zip((0.0, 0.25, 0.5, 1.0), map(float, scores), strict=True))

    def over(strength: float, other: float) -> Difference:
        assert other == 1
        more = of[strength] - of[other]
        return gain(more, 1 if strength in sure else -9)

    gains = {it: gain(of[it] - of[0], 1 if it in helping else -9) for it in of if it}
    measured = {it: MeasuredStrength(strength=it, stack=f"at {it}", score=of[it], gain=gains.get(it)) for it in of}
    found, why = taken_of(measured, 1, over)
    assert found.strength == taken
    assert said in why


def labelled_by(model: AdaptedModel, adapters: Sequence[Adapter], stack: str) -> list[LabelledText]:
    model.attach(*adapters)
    answers = model.predict(TEST, stack=stack)
    model.detach(*(it.id for it in adapters))
    texts = (it for it in TEST if isinstance(it, LabelledText))
    return [replace(it, label=answer.label) for it, answer in zip(texts, answers, strict=True)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"strengths": [0.0]}, "numbers above 0"),
        ({"strengths": "0.5"}, "numbers above 0"),
        ({"strengths": ["half"]}, "numbers above 0"),
        ({"strengths": [-0.5]}, "numbers above 0"),
        ({"strengths": [float("nan")]}, "numbers above 0"),
        ({"language": "ha", "data": {"ha": TEST}}, "no adapter of Hausa"),
        ({"data": {"ha": TEST}}, "no examples in sw"),
        ({"task": "retrieval"}, "no labels to choose by"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    model: AdaptedModel, sw: Adapter, seeds: list[Adapter], options: dict[str, object], said: str
) -> None:
    asked = {"task": "topics", "language": "sw", "data": {"sw": TEST}, "zoo": [sw], "progress": False, **options}
    with pytest.raises(AdaptkitError, match=said):
        adaptkit.compare_strengths(model, adapter=seeds, **asked)  # type: ignore[arg-type]


def test_a_glossary_has_no_strengths(model: AdaptedModel, seeds: list[Adapter]) -> None:
    words = random_adapter(model, GLOSSARY, name="sw-glossary")
    with pytest.raises(ConfigError, match="language/sw-glossary is a glossary, which acts as it is or not at all"):
        measured(model, seeds, replace(words, language="sw"))


def test_what_brings_pieces_has_no_strengths() -> None:
    model = unigram_model()
    dz = replace(random_adapter(model, OWN_PIECES, name="dz"), language="sw")
    topics = random_adapter(model, AdapterConfig(method=LORA, head=TOPICS), kind="task", name="topics")
    with pytest.raises(ConfigError, match="it acts at full strength or not at all"):
        measured(model, replace(topics, language="en"), dz)
