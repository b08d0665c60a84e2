"""A stack or an ensemble that is measured as it was named, beside the task adapter alone."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

import adaptkit
from adaptkit.composition import Ensemble, Stack
from adaptkit.errors import AdaptkitError, AmbiguousAdapter, ConfigError, NoHead, UnknownAdapter
from adaptkit.evaluation import TransferReport
from adaptkit.evaluation.report.results_file import load_results
from adaptkit.evaluation.results import Condition
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.scores import paired_difference
from adaptkit.storage import Adapter
from adaptkit.task_types import HeadConfig, LabelledText
from tests.adapters import random_adapter
from tests.glossaries import GLOSSARY
from tests.tiny import tiny_model
from tests.unit.heads import examples as made

LORA = LoraConfig(rank=4, alpha=40.0)
TOPICS = HeadConfig(task_type="classification", labels=("goats", "rain"))
TEST = made.topic_texts(24)


@pytest.fixture(scope="module")
def made_of() -> dict[str, Adapter]:
    """Adapters for the backbone that each test has anew: two seeds of a task, other tasks, a language."""
    model = tiny_model()
    other = replace(TOPICS, labels=TOPICS.labels[::-1])
    names = HeadConfig(task_type="tagging", labels=("O", "B-PER", "I-PER"))
    # With these seeds of random weights the heads answer some examples right, and not the same ones.
    tasks = {
        "topics": task("topics", TOPICS, 8),
        "again": task("topics", TOPICS, 3),
        "other": task("other", other, 2),
        "more": task("more", replace(TOPICS, labels=("goats", "food")), 4),
        "names": task("names", names, 5),
    }
    return {**tasks, "sw": random_adapter(model, AdapterConfig(method=LORA), seed=21)}


def task(name: str, head: HeadConfig, seed: int) -> Adapter:
    config = AdapterConfig(method=LORA, head=head)
    return replace(random_adapter(tiny_model(), config, kind="task", name=name, seed=seed), language="en")


def evaluated(model: AdaptedModel, adapter: Adapter | Sequence[Adapter] | None, **options: Any) -> TransferReport:  # noqa: ANN401
    asked: dict[str, Any] = {
        "task": "topics",
        "languages": ["sw"],
        "data": {"sw": TEST},
        "compare": ["none"],
        "measuring": adaptkit.Measuring(progress=False, precision="fp32", **options.pop("measuring", {})),
    }
    return adaptkit.evaluate(model, adapter=adapter, **{**asked, **options})


def hits(model: AdaptedModel, adapters: Sequence[Adapter], stack: str) -> list[float]:
    """Whether each example is answered right."""
    model.attach(*adapters)
    found = model.predict(TEST, stack=stack)
    model.detach(*(adapter.id for adapter in adapters))
    return [float(p.label == e.label) for p, e in zip(found, TEST, strict=True) if isinstance(e, LabelledText)]


def test_an_ensemble_is_measured_as_it_answers_with_each_seed(model: AdaptedModel, made_of: dict[str, Adapter]) -> None:
    seeds, sw, other = [made_of["topics"], made_of["again"]], made_of["sw"], made_of["other"]
    results = evaluated(model, seeds, stack="sw > topics | other", zoo=[sw, other], compare=["none", "target"]).results
    assert model.attached == ()
    stack = "language/sw > task/topics | task/other"
    assert [cell.condition for cell in results.cells] == ["none", "target", "stack"]
    cell = results.cells[2]
    assert cell.stack == results.stack == stack
    assert cell.together == ""
    assert cell.adapter_bytes == sum(it.size_bytes for it in (sw, other, seeds[0]))
    by_hand = [hits(model, [task, sw, other], "sw > topics | other") for task in seeds]
    assert by_hand[0] != by_hand[1]
    assert cell.scores["accuracy"] == pytest.approx([100 * fmean(each) for each in by_hand])
    alone = [hits(model, [task], "topics") for task in seeds]
    below = [hits(model, [task, sw], "sw > topics") for task in seeds]
    compared = {it.against: it.difference for it in results.comparisons if it.condition == "stack"}
    pairs: list[tuple[Condition, list[list[float]]]] = [("none", alone), ("target", below)]
    for against, theirs in pairs:
        expected, found = paired_difference(by_hand, theirs), compared[against]
        assert (found.mean, found.low, found.high) == pytest.approx((expected.mean, expected.low, expected.high))
    assert {it.id for it in results.language_adapters} == {"language/sw", "task/other"}
    assert {it.condition for it in results.classes} == {"none", "target", "stack"}


def test_one_stack_is_measured_too(model: AdaptedModel, made_of: dict[str, Adapter]) -> None:
    results = evaluated(
        model, made_of["topics"], stack=Stack("sw", "other"), zoo=[made_of["sw"], made_of["other"]]
    ).results
    assert results.stack == "language/sw > task/other"
    expected = 100 * fmean(hits(model, [made_of["sw"], made_of["other"]], "sw > other"))
    assert results.cells[1].scores["accuracy"] == pytest.approx([expected])


def test_what_has_not_the_task_adapter_is_measured_once_for_all_seeds(
    model: AdaptedModel, made_of: dict[str, Adapter], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    predict = AdaptedModel.predict

    def counted(self: AdaptedModel, inputs: Any, **options: Any) -> Any:  # noqa: ANN401
        asked.append(str(options["stack"]))
        return predict(self, inputs, **options)

    monkeypatch.setattr(AdaptedModel, "predict", counted)
    zoo = [made_of["sw"], made_of["other"]]
    results = evaluated(model, [made_of["topics"], made_of["again"]], stack="other | sw > other", zoo=zoo).results
    assert asked == ["task/topics", "task/topics", "task/other | language/sw > task/other"]
    first, second = results.cells[1].scores["accuracy"]
    assert first == second
    assert results.cells[1].adapter_bytes == sum(it.size_bytes for it in zoo)


def test_its_adapters_are_found_where_they_are(
    model: AdaptedModel, made_of: dict[str, Adapter], tmp_path: Path
) -> None:
    topics, other, sw = made_of["topics"], made_of["other"], made_of["sw"]
    for adapter in (topics, other, sw):
        adapter.save(tmp_path / adapter.id)
    ensemble = Ensemble("topics", "sw > other")
    in_folder = evaluated(model, topics, stack=ensemble, zoo=tmp_path).results
    model.attach(other, sw)
    attached = evaluated(model, topics, stack=ensemble).results
    assert model.attached == ("task/other", "language/sw")
    model.detach(*model.attached)
    model.attach_zoo(tmp_path)
    in_its_zoo = evaluated(model, "task/topics", stack=ensemble).results  # type: ignore[arg-type]
    assert in_folder.cells[1].stack == "task/topics | language/sw > task/other"
    assert [cell.scores for cell in in_folder.cells] == [cell.scores for cell in attached.cells]
    assert [cell.scores for cell in in_folder.cells] == [cell.scores for cell in in_its_zoo.cells]


def test_what_was_given_comes_before_what_is_attached(model: AdaptedModel, made_of: dict[str, Adapter]) -> None:
    given, there = made_of["other"], replace(made_of["again"], name="other")
    model.attach(there)
    results = evaluated(model, made_of["topics"], stack="other", zoo=[given]).results
    assert model.attached_adapter("other") is there
    assert [it.weights_sha256 for it in results.language_adapters] == [given.weights_sha256]


def test_a_glossary_that_was_named_is_taken_below_any_task(model: AdaptedModel, made_of: dict[str, Adapter]) -> None:
    glossary = replace(random_adapter(model, GLOSSARY, name="sw-glossary"), language="sw")
    names = made_of["names"]
    data = {"sw": replace(made.tags(), examples=made.tags().examples[:6])}
    results = evaluated(model, names, task="names", data=data, stack="sw-glossary > names", zoo=[glossary]).results
    assert results.cells[1].stack == "language/sw-glossary > task/names"


def test_the_report_tells_of_it(model: AdaptedModel, made_of: dict[str, Adapter], tmp_path: Path) -> None:
    report = evaluated(
        model,
        made_of["topics"],
        stack="topics | sw > topics",
        zoo=[made_of["sw"]],
        compare=["none", "target"],
        measuring={"examples": 2},
    )
    assert "the stack" in str(report).splitlines()[0]
    folder = report.save(tmp_path / "report")
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert "# Does the stack help on topics?" in text
    assert "The stack: task/topics | language/sw > task/topics" in text.replace("\\|", "|")
    assert "the stack against own adapter" in text
    assert '<rect x="' in (folder / "report.html").read_text(encoding="utf-8")
    assert load_results(folder / "results.json") == report.results
    assert json.loads((folder / "results.json").read_text())["adaptkit_transfer_results"] == 6
    turned = [it for it in report.results.turned if it.condition == "stack"]
    before, after = (
        hits(model, [made_of["topics"]], "topics"),
        hits(model, [made_of["topics"], made_of["sw"]], "topics | sw > topics"),
    )
    assert bool(turned) == (before != after)


def test_a_finished_measurement_is_of_what_was_named(
    model: AdaptedModel, made_of: dict[str, Adapter], tmp_path: Path
) -> None:
    options: dict[str, Any] = {"zoo": [made_of["sw"], made_of["other"]], "measuring": {"keep": str(tmp_path)}}
    for stack, n_kept in (("topics | sw > other", 2), ("topics | sw > other", 2), ("sw > topics | other", 3)):
        evaluated(model, made_of["topics"], stack=stack, **options)
        assert len(list(tmp_path.iterdir())) == n_kept


def test_a_domain_adapter_may_be_in_it(model: AdaptedModel, made_of: dict[str, Adapter]) -> None:
    farming = random_adapter(model, AdapterConfig(method=LORA), kind="domain", name="farming", seed=7)
    results = evaluated(
        model, made_of["topics"], domain=[farming], stack="farming > topics | topics", measuring={"examples": 3}
    ).results
    assert [cell.stack for cell in results.cells] == [
        "domain/farming > task/topics",
        "domain/farming > task/topics | task/topics",
    ]


REFUSED: list[tuple[dict[str, Any], type[AdaptkitError], str]] = [
    ({"stack": "names | sw > names"}, ConfigError, "answers of .* have no mean"),
    ({"stack": "topics | more"}, ConfigError, "end in heads of one kind"),
    ({"stack": "more"}, ConfigError, "measured beside the task adapter, and answers something else"),
    ({"stack": "sw"}, NoHead, "language/sw"),
    ({"stack": ["topics", "other"]}, ConfigError, r"for an ensemble 'topics \| other'"),
    ({"adapter": None}, ConfigError, "measured beside a task adapter, and none is given"),
    ({"stack": None, "compare": ["stack"]}, ConfigError, "compare has 'stack', and none is named"),
    ({"measuring": {"examples": 1, "explain": True}}, ConfigError, "an ensemble, whose answers cannot be explained"),
    ({"task": "retrieval", "adapter": None, "data": None}, ConfigError, "leave stack out"),
]


@pytest.mark.parametrize(("asked", "kind", "said"), REFUSED)
def test_what_cannot_be_measured_is_refused(
    asked: dict[str, Any],
    kind: type[AdaptkitError],
    said: str,
    model: AdaptedModel,
    made_of: dict[str, Adapter],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(AdaptedModel, "predict", lambda *_, **__: pytest.fail("predicted before the refusal"))
    if "explain" in asked.get("measuring", {}):
        pytest.importorskip("captum")
    options = {"adapter": made_of["topics"], "stack": "topics | sw > topics", **asked}
    zoo = [made_of[name] for name in ("sw", "other", "more", "names")]
    with pytest.raises(kind, match=said):
        evaluated(model, options.pop("adapter"), zoo=zoo, **options)
    assert model.attached == ()


def test_a_name_that_no_adapter_has_is_told_beside_those_in_the_zoo(
    model: AdaptedModel, made_of: dict[str, Adapter], tmp_path: Path
) -> None:
    for name in ("other", "sw"):
        made_of[name].save(tmp_path / made_of[name].id)
    with pytest.raises(UnknownAdapter, match=r"no adapter othr .* Did you mean other\?.* In the zoo: .*task/other"):
        evaluated(model, made_of["topics"], stack="topics | sw > othr", zoo=tmp_path)
    replace(made_of["sw"], name="other").save(tmp_path / "language/other")
    with pytest.raises(AmbiguousAdapter, match="language/other or task/other"):
        evaluated(model, made_of["topics"], stack="topics | other", zoo=tmp_path)
    assert model.attached == ()


def test_the_given_adapter_is_not_set_beside_itself_for_one_of_its_name_in_the_zoo(
    model: AdaptedModel, made_of: dict[str, Adapter], tmp_path: Path
) -> None:
    made_of["again"].save(tmp_path / "zoo/topics")
    with pytest.raises(ConfigError, match="beside itself; the task/topics of the zoo has other weights"):
        evaluated(model, made_of["topics"], stack="task/topics", zoo=tmp_path / "zoo", compare=["none"])
    with pytest.raises(ConfigError, match="beside itself"):
        evaluated(model, made_of["topics"], stack="task/topics", zoo=[made_of["again"]], compare=["none"])
    # The zoo's own, and the given one on top of something, are what they are called.
    own = evaluated(model, made_of["again"], stack="task/topics", zoo=tmp_path / "zoo", compare=["none"])
    assert own.results.cells
    made_of["sw"].save(tmp_path / "zoo/sw")
    above = evaluated(model, made_of["topics"], stack="sw > topics", zoo=tmp_path / "zoo", compare=["none"])
    assert above.results.cells
