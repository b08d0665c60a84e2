"""Texts in another normal form than adapters were trained on: warned of, and read in one form where that is asked."""

import json
import logging
import unicodedata
from dataclasses import replace
from typing import Any

import pytest

import adaptkit
from adaptkit.data.letters import NormalForm
from adaptkit.errors import ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.recipes.text import TextTraining
from adaptkit.storage import Adapter
from adaptkit.task_types import HeadConfig, LabelledText, PredictedAnswer, Question, TaggedSentence
from adaptkit.training import open_display
from tests.adapters import random_adapter
from tests.calls import QUIET, language_request, task_request, train_adapter

COMPOSED = [f"Ọjà náà wà ní Ọ̀yọ́ {number}." for number in range(40)]
DECOMPOSED = [unicodedata.normalize("NFD", line) for line in COMPOSED]
PAIRS = [(f"The market is in Oyo {number}.", line) for number, line in enumerate(DECOMPOSED)]
QUICK: dict[str, Any] = {"lang": "yo", "max_steps": 2, "batch_size": 8, "force": True, "progress": False}
TOPICS = AdapterConfig(method=LoraConfig(rank=2), head=HeadConfig(task_type="classification", labels=("a", "b")))


def trained(model: AdaptedModel, form: NormalForm | None = None, **options: Any) -> Adapter:  # noqa: ANN401
    return train_adapter(**QUICK, backbone=model, normalize=form, **options)


@pytest.mark.parametrize("objective", ["mlm", "distill"])
def test_text_and_translations_are_read_in_the_form_that_is_asked_for(model: AdaptedModel, objective: str) -> None:
    both: list[dict[str, Any]] = [{"text": COMPOSED}, {"text": DECOMPOSED}]
    if objective == "distill":
        both = [{"parallel": list(zip(COMPOSED, lines, strict=True))} for lines in (COMPOSED, DECOMPOSED)]
    plain, other = (trained(model, **source) for source in both)
    assert plain.card.text_sha256 != other.card.text_sha256
    one, two = (trained(model, "NFC", **source) for source in both)
    assert one.card.text_sha256 == two.card.text_sha256 == plain.card.text_sha256
    assert one.weights_sha256 == two.weights_sha256
    assert (plain.normal_form, one.normal_form) == (None, "NFC")
    said = "- Its text was read in NFC: give it text in that form."
    assert (said in plain.render_card(), said in one.render_card()) == (False, True)


def test_translations_are_normalized_too(model: AdaptedModel) -> None:
    request = language_request(**QUICK, backbone=model, parallel=[(b, a) for a, b in PAIRS], normalize="NFC")
    with open_display(shown=False) as display:
        training = TextTraining(request, display)
        training.close()
    assert [row.translation for row in training.source.rows()] == COMPOSED


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_texts_in_another_form_are_warned_of_once(model: AdaptedModel, caplog: pytest.LogCaptureFixture) -> None:
    yo = trained(model, "NFC", text=COMPOSED)
    model.attach(yo, random_adapter(model, TOPICS, kind="task", name="topics"))
    model.encode(COMPOSED, stack="yo")
    model.encode(DECOMPOSED)
    model.predict(DECOMPOSED, stack="task/topics")
    assert warnings_of(caplog) == []
    model.encode([*COMPOSED, DECOMPOSED[0]], stacks=["yo"] * 40 + [None])
    assert warnings_of(caplog) == []
    model.encode([*COMPOSED, DECOMPOSED[0]], stacks=[None] * 40 + ["yo"])
    (said,) = warnings_of(caplog)
    assert said.startswith(
        "language/yo was trained on text in NFC (normalize='NFC'). Some texts here are in another form"
    )
    model.predict(DECOMPOSED, stack="yo > topics")
    assert warnings_of(caplog) == [said]


def test_predictions_warn_as_vectors_do(model: AdaptedModel, caplog: pytest.LogCaptureFixture) -> None:
    model.attach(trained(model, "NFD", text=COMPOSED), random_adapter(model, TOPICS, kind="task", name="topics"))
    model.predict(DECOMPOSED, stack="yo > topics")
    assert warnings_of(caplog) == []
    model.predict(COMPOSED, stack="yo > topics")
    assert [said[:41] for said in warnings_of(caplog)] == ["language/yo was trained on text in NFD (n"]


def test_a_strange_setting_on_a_card_is_no_form(model: AdaptedModel) -> None:
    yo = trained(model, "NFC", text=COMPOSED)
    assert yo.card.training is not None
    facts = replace(yo.card.training, settings={"normalize": "NFX"})
    assert replace(yo, card=replace(yo.card, training=facts)).normal_form is None
    assert replace(yo, card=replace(yo.card, training=None)).normal_form is None


def test_another_form_is_refused_before_anything_is_read(model: AdaptedModel) -> None:
    wrong: Any = "nfc"
    with pytest.raises(ConfigError, match=r"normalize (is|takes) NFC, NFD, NFKC, NFKD or None"):
        language_request(lang="yo", normalize=wrong)
    with pytest.raises(ConfigError, match="normalize is"):
        adaptkit.evaluate(model, task="t", adapter="no/such/folder", languages="yo", normalize=wrong)


def plan(model: AdaptedModel, **options: Any) -> list[str]:  # noqa: ANN401
    adapters = [trained(model, "NFC", text=COMPOSED)]
    data = [
        LabelledText(text=line, label=("a", "b")[number % 2], language="yo") for number, line in enumerate(DECOMPOSED)
    ]
    shown: list[str] = []
    request = task_request(task="t", data=data, on=adapters, backbone=model, progress=False, **options)
    from adaptkit.recipes.task import TaskTraining

    with open_display(shown=False) as display:
        training = TaskTraining(request, display)
        shown += training.describe(training.estimate())
        training.close()
    return shown


def test_the_plan_of_a_task_tells_of_forms(model: AdaptedModel) -> None:
    as_it_is, composed = plan(model), plan(model, normalize="NFC")
    note = "note: trained on text in another form: language/yo (NFC); see normalize=..."
    assert note in as_it_is
    assert note not in composed
    (said,) = [line for line in as_it_is if "NFD" in line]
    assert said.startswith("data: Of the texts, 0.0% have composed letters (NFC), 100.0% decomposed ones (NFD)")
    assert not [line for line in composed if "NFD" in line]


def test_inputs_that_are_cut_are_warned_of_once(model: AdaptedModel, caplog: pytest.LogCaptureFixture) -> None:
    model.attach(random_adapter(model, TOPICS, kind="task", name="topics"))
    model.predict(["goat", "goat " * 20], stack="topics")
    assert warnings_of(caplog) == []
    model.predict(["goat", "goat " * 300], stack="topics", max_length=100)  # as asked
    model.encode(["goat " * 300], max_length=100)
    assert warnings_of(caplog) == []
    model.predict(["goat", "goat " * 300], stack="topics")
    model.predict(["goat", "goat " * 300], stack="topics")
    assert warnings_of(caplog) == [
        "1 of 2 inputs are too long for 140 tokens and were cut. Of later ones this is not said again."
    ]


def test_vectors_of_cut_texts_are_warned_of(model: AdaptedModel, caplog: pytest.LogCaptureFixture) -> None:
    model.encode(["goat", "goat " * 300])
    assert [said[:39] for said in warnings_of(caplog)] == ["1 of 2 inputs are too long for 140 toke"]


QA = AdapterConfig(method=LoraConfig(rank=2), head=HeadConfig(task_type="qa", max_answer_tokens=40))


def test_predict_takes_another_bound_on_answers(model: AdaptedModel) -> None:
    model.attach(
        random_adapter(model, QA, kind="task", name="qa"), random_adapter(model, TOPICS, kind="task", name="topics")
    )
    asked = [("Ta ni?", " ".join(COMPOSED[:3]))]
    bounds = {}
    for bound in (None, 1, 5):
        (found,) = model.predict(asked, stack="qa", max_answer_tokens=bound)
        assert isinstance(found, PredictedAnswer)
        bounds[bound] = max(len(model.backbone.tokenizer(span.text)["input_ids"]) for span in found.n_best)
    assert bounds[1] < bounds[5] < bounds[None]
    with pytest.raises(ConfigError, match="max_answer_tokens is for qa, and this is a head of classification"):
        model.predict(["a"], stack="topics", max_answer_tokens=5)
    assert len(model.predict([asked[0], "a"], stacks=["qa", "topics"], max_answer_tokens=5)) == 2


def test_the_report_says_what_was_not_read(model: AdaptedModel) -> None:
    tagger = HeadConfig(task_type="tagging", labels=("O", "B-PER"))
    ner = replace(
        random_adapter(model, AdapterConfig(method=LoraConfig(rank=2), head=tagger), kind="task", name="ner"),
        language="en",
    )
    long = TaggedSentence(words=("Amina",) * 200, tags=("B-PER", "O") * 100, language="yo")
    report = adaptkit.evaluate(
        model,
        task="ner",
        adapter=ner,
        languages="yo",
        compare="none",
        data={"yo": [long]},
        measuring=QUIET,
    )
    (said,) = [note for note in report.results.notes if "cut" in note]
    assert said.startswith("yo: 1 of 1 (100.0%) examples are cut at 140 tokens, and with them ")
    assert said.endswith(" tags other than O; O is predicted for them.")


def test_the_report_says_which_answers_cannot_be_given(model: AdaptedModel) -> None:
    qa = replace(random_adapter(model, QA, kind="task", name="qa"), language="en")
    context = " ".join(COMPOSED[:5])
    questions = [
        Question(id="1", question="Kí ni?", context=context, answers=((context[:90], 0),)),
        Question(id="2", question="Kí ni?", context=context, answers=((context[:3], 0),)),
        Question(id="3", question="Kí ni?", context=context, answers=(("Òkò", 0),)),
    ]
    notes = {}
    for bound in (None, 130):
        report = adaptkit.evaluate(
            model,
            task="qa",
            adapter=qa,
            languages="yo",
            compare="none",
            data={"yo": questions},
            measuring=adaptkit.Measuring(max_answer_tokens=bound, progress=False),
        )
        notes[bound] = set(report.results.notes)
    lost = (
        "yo: 1 of 3 (33.3%) answered questions cannot be answered rightly: no window of 140 tokens holds a whole "
        "answer, or the context does not."
    )
    assert lost in notes[None] & notes[130]
    assert notes[None] - notes[130] == {
        "yo: the answers of 1 of 3 (33.3%) questions are longer than the 40 tokens that the head gives "
        "(max_answer_tokens=...)."
    }
    assert notes[130] - notes[None] == {"answers have up to 130 tokens, whatever the head says."}


def test_the_report_reads_tests_in_the_form_that_is_asked_for(model: AdaptedModel) -> None:
    task = replace(random_adapter(model, TOPICS, kind="task", name="topics"), language="en")
    scores = {}
    for form in (None, "NFC"):
        for name, lines in (("NFC", COMPOSED), ("NFD", DECOMPOSED)):
            data = [LabelledText(text=line, label=("a", "b")[n % 2]) for n, line in enumerate(lines)]
            report = adaptkit.evaluate(
                model,
                task="t",
                adapter=task,
                languages="yo",
                compare="none",
                data={"yo": data},
                normalize="NFC" if form else None,
                measuring=QUIET,
            )
            scores[form, name] = json.dumps(report.results.cells[0].scores)
            assert ("test texts were read in NFC." in report.results.notes) == (form is not None)
    assert scores["NFC", "NFD"] == scores["NFC", "NFC"] == scores[None, "NFC"]


def test_the_report_says_where_tests_are_in_another_form(model: AdaptedModel) -> None:
    yo = trained(model, "NFC", text=COMPOSED)
    task = replace(random_adapter(model, TOPICS, kind="task", name="topics"), language="en")
    said = "yo: language/yo was trained on text in NFC, and texts of the test are in another form (normalize='NFC')."
    for lines, form, expected in ((COMPOSED, None, False), (DECOMPOSED, None, True), (DECOMPOSED, "NFC", False)):
        report = adaptkit.evaluate(
            model,
            task="t",
            adapter=task,
            languages="yo",
            compare=["none", "target"],
            zoo=[yo],
            data={"yo": [LabelledText(text=line, label=("a", "b")[n % 2]) for n, line in enumerate(lines)]},
            normalize="NFC" if form else None,
            measuring=QUIET,
        )
        assert (said in report.results.notes) is expected
