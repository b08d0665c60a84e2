"""Our scores as modules of evaluate: equal to scikit-learn, seqeval and the published formulas, and without a trace."""

import re
import socket
import string
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import evaluate
import numpy as np
import pytest
import sacrebleu
import seqeval.metrics
import sklearn.metrics

import adaptkit
from adaptkit.errors import ConfigError, UnknownLanguage
from adaptkit.interchange.scorings import SCORINGS

LABELS = ["rain", "goats", "rain", "school", "goats", "rain"]
FOUND = ["rain", "rain", "rain", "goats", "goats", "school"]
TAGS = [["O", "B-PER", "I-PER", "O", "I-LOC"], ["B-LOC", "O", "B-PER"], ["O"]]
FOUND_TAGS = [["O", "B-PER", "O", "O", "B-LOC"], ["B-LOC", "O", "B-LOC"], ["B-PER"]]


def computed(name: str, predictions: Any, references: Any, **options: Any) -> dict[str, Any]:  # noqa: ANN401
    found: dict[str, Any] = adaptkit.evaluation_module(name, **options).compute(
        predictions=predictions, references=references
    )
    return found


@pytest.mark.parametrize(("found", "gold"), [(FOUND, LABELS), ([0, 1, 1, 2, 0], [0, 1, 2, 2, 1])])
def test_accuracy_and_f1_are_those_of_scikit_learn(found: list[Any], gold: list[Any]) -> None:
    assert computed("accuracy", found, gold) == {"accuracy": pytest.approx(sklearn.metrics.accuracy_score(gold, found))}
    f1 = sklearn.metrics.f1_score(gold, found, average="macro")
    assert computed("macro_f1", found, gold) == {"macro_f1": pytest.approx(f1)}


def test_label_sets_are_scored_as_indicators_are() -> None:
    names = ("farming", "health", "weather")
    gold = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 0]])
    found = np.array([[1, 1, 1], [0, 0, 1], [0, 0, 0], [1, 1, 0]])
    sets = [[[name for name, here in zip(names, row, strict=True) if here] for row in side] for side in (found, gold)]
    wanted = {
        f"{average}_f1": sklearn.metrics.f1_score(gold, found, average=average, zero_division=0)
        for average in ("micro", "macro")
    }
    assert computed("label_sets", *sets) == pytest.approx(wanted)
    assert computed("label_sets", [[], []], [[], []]) == {"micro_f1": 0.0, "macro_f1": 0.0}


def test_entities_are_scored_as_seqeval_does() -> None:
    found = computed("entities", FOUND_TAGS, TAGS)
    report = seqeval.metrics.classification_report(TAGS, FOUND_TAGS, output_dict=True, zero_division=0)
    for kind in ("PER", "LOC"):
        assert found[kind] == {
            "precision": pytest.approx(report[kind]["precision"]),
            "recall": pytest.approx(report[kind]["recall"]),
            "f1": pytest.approx(report[kind]["f1-score"]),
            "number": report[kind]["support"],
        }
    assert found["overall_f1"] == pytest.approx(seqeval.metrics.f1_score(TAGS, FOUND_TAGS))
    assert found["overall_precision"] == pytest.approx(seqeval.metrics.precision_score(TAGS, FOUND_TAGS))
    assert found["overall_recall"] == pytest.approx(seqeval.metrics.recall_score(TAGS, FOUND_TAGS))
    assert found["overall_accuracy"] == pytest.approx(seqeval.metrics.accuracy_score(TAGS, FOUND_TAGS))
    without = computed("entities", FOUND_TAGS, TAGS, ignore=["PER"])
    assert (without["overall_f1"], set(without) & {"PER", "LOC"}) == (without["LOC"]["f1"], {"LOC"})


def answered(*texts: str) -> list[dict[str, str]]:
    return [{"id": str(number), "prediction_text": text} for number, text in enumerate(texts)]


def asked(*answers: list[str], placed: bool = True) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number, texts in enumerate(answers):
        found.append({"id": str(number), "answers": {"text": texts}})
        if placed:
            found[-1]["answers"]["answer_start"] = [0] * len(texts)
    return found


def squad_v1(found: str, answers: list[str]) -> tuple[float, float]:
    """The published evaluate-v1.1.py, written here again."""

    def normalised(text: str) -> list[str]:
        kept = "".join(char for char in text.lower() if char not in set(string.punctuation))
        return re.sub(r"\b(a|an|the)\b", " ", kept).split()

    def f1(ours: list[str], theirs: list[str]) -> float:
        same = sum((Counter(ours) & Counter(theirs)).values())
        precision, recall = same / max(1, len(ours)), same / max(1, len(theirs))
        return 2 * precision * recall / (precision + recall) if same else 0.0

    ours = normalised(found)
    each = [(float(normalised(answer) == ours), f1(ours, normalised(answer))) for answer in answers]
    return max(exact for exact, _ in each), max(score for _, score in each)


@pytest.mark.parametrize("placed", [True, False])
def test_squad_is_the_published_formula(placed: bool) -> None:
    found = ["the Red goat.", "in the barrel of rain", "Kumasi", "on Monday"]
    gold = [["red goat", "a goat"], ["barrel"], ["Accra", "Kumasi, Ghana"], ["On a Monday!"]]
    each = [squad_v1(ours, theirs) for ours, theirs in zip(found, gold, strict=True)]
    wanted = {"exact_match": 100 * np.mean([e for e, _ in each]), "f1": 100 * np.mean([f for _, f in each])}
    assert computed("squad", answered(*found), asked(*gold, placed=placed)) == pytest.approx(wanted)


def test_mlqa_knows_the_articles_of_its_language_and_squad_does_not() -> None:
    found, gold = answered("den Bahnhof"), asked(["der Bahnhof"])
    assert computed("mlqa", found, gold, lang="de") == {"exact_match": 100.0, "f1": 100.0}
    assert computed("squad", found, gold) == {"exact_match": 0.0, "f1": pytest.approx(50.0)}
    assert computed("mlqa", answered("在学校里"), asked(["学校"]), lang="zh")["f1"] == pytest.approx(200 * 2 / (4 + 2))


def test_answers_are_found_by_their_ids_and_a_question_may_have_none() -> None:
    found = [{"id": "b", "prediction_text": ""}, {"id": "a", "prediction_text": "a goat"}]
    gold = [{"id": "a", "answers": {"text": ["goat"]}}, {"id": "b", "answers": {"text": []}}]
    assert computed("squad", found, gold) == {"exact_match": 100.0, "f1": 100.0}
    with pytest.raises(ConfigError, match="the question '1' is not among the predictions"):
        computed("squad", [*answered("x"), {"id": "7", "prediction_text": "x"}], asked(["x"], ["x"]))
    with pytest.raises(ConfigError, match="occurs twice"):
        computed("squad", [*answered("x"), *answered("y")], asked(["x"], ["x"]))


def test_pearson_is_that_of_numpy() -> None:
    found, gold = [0.1, 0.4, 0.35, 0.8], [0.0, 0.5, 0.2, 0.9]
    assert computed("pearson", found, gold) == {"pearson": pytest.approx(np.corrcoef(found, gold)[0, 1])}


def test_translations_are_scored_as_sacrebleu_does() -> None:
    found, gold = ["The goat sleeps here.", "Rain fell at night"], ["The goat sleeps there.", "It rained at night."]
    assert computed("chrf", found, gold)["score"] == pytest.approx(
        sacrebleu.corpus_chrf(found, [gold], word_order=2).score
    )
    assert computed("bleu", found, gold)["score"] == pytest.approx(sacrebleu.corpus_bleu(found, [gold]).score)


def test_they_combine_and_take_batches() -> None:
    module = adaptkit.evaluation_module("accuracy")
    both = evaluate.combine([module, adaptkit.evaluation_module("macro_f1")])
    assert set(both.compute(predictions=FOUND, references=LABELS)) == {"accuracy", "macro_f1"}
    german, squad = adaptkit.evaluation_module("mlqa", lang="de"), adaptkit.evaluation_module("squad")
    found = evaluate.combine([german, squad]).compute(predictions=answered("die Uhr"), references=asked(["Uhr"]))
    assert set(found) == {f"{name}_{score}" for name in ("mlqa_de", "squad") for score in ("exact_match", "f1")}
    module.add_batch(predictions=FOUND[:3], references=LABELS[:3])
    module.add(prediction=FOUND[3], reference=LABELS[3])
    assert module.compute() == {"accuracy": 0.5}


def trained(predictions: Any, label_ids: Any) -> Any:  # noqa: ANN401
    return SimpleNamespace(predictions=predictions, label_ids=label_ids)


def test_a_trainers_predictions_are_read() -> None:
    logits = np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]])
    assert adaptkit.evaluation_module("accuracy")(trained((logits, "more"), np.array([1, 0, 0]))) == {
        "accuracy": pytest.approx(2 / 3)
    }
    names = ["O", "B-PER", "I-PER"]
    ids = np.array([[-100, 1, 2, 0, -100], [-100, 0, 1, -100, -100]])
    right = np.eye(3)[np.where(ids < 0, 0, ids)]
    scored = adaptkit.evaluation_module("entities", labels=names)(trained(right, ids))
    assert scored == {f"overall_{name}": 1.0 for name in ("precision", "recall", "f1", "accuracy")}
    with pytest.raises(ConfigError, match="needs the names of the 3 labels in their order, found 0"):
        adaptkit.evaluation_module("entities")(trained(right, ids))
    sets = adaptkit.evaluation_module("label_sets", labels=["a", "b"])
    assert sets(trained(np.array([[1.0, -1.0], [-2.0, 3.0]]), np.array([[1, 0], [0, 1]]))) == {
        "micro_f1": 1.0,
        "macro_f1": 1.0,
    }
    numbers = adaptkit.evaluation_module("pearson")
    assert numbers(trained(np.array([[0.1], [0.5], [0.9]]), np.array([0.2, 0.6, 1.0]))) == {"pearson": pytest.approx(1)}
    answers = adaptkit.evaluation_module("mlqa", lang="de")
    assert answers(trained(answered("die Uhr"), asked(["Uhr"]))) == {"exact_match": 100.0, "f1": 100.0}


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("acuracy", {}, "there is no score 'acuracy'; known: accuracy, .* Did you mean 'accuracy'?"),
        ("mlqa", {}, r"the score 'mlqa' takes these options: lang \(missing a required argument: 'lang'\)"),
        ("accuracy", {"lang": "de"}, "the score 'accuracy' takes these options: none"),
        ("mlqa", {"lang": "Klingonish"}, "no language is known"),
    ],
)
def test_what_is_asked_wrongly_is_refused(name: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises((ConfigError, UnknownLanguage), match=said):
        adaptkit.evaluation_module(name, **options)


def test_every_score_says_what_it_reads() -> None:
    for name in SCORINGS:
        module = adaptkit.evaluation_module(name, **({"lang": "vi"} if name == "mlqa" else {}))
        assert "predictions" in module.inputs_description
        assert module.description in str(module.compute.__doc__)


def test_nothing_is_written_and_no_hub_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    for name in ("create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refused)
    monkeypatch.setattr(evaluate.config, "HF_METRICS_CACHE", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    both = evaluate.combine([adaptkit.evaluation_module("mlqa", lang="de"), adaptkit.evaluation_module("squad")])
    assert both.compute(predictions=answered("die Uhr"), references=asked(["Uhr"]))["mlqa_de_f1"] == 100
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "prediction", "reference"),
    [("accuracy", ["rain"], ["rain"]), ("squad", {"id": "1"}, {"id": "1"}), ("entities", "O", "O")],
)
def test_what_has_another_form_is_told_what_is_read(name: str, prediction: object, reference: object) -> None:
    with pytest.raises((ConfigError, ValueError), match=r"reads predictions|expected a list"):
        computed(name, [prediction], [reference])


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "adaptkit.interchange.score_module", raising=False)
    monkeypatch.setitem(sys.modules, "evaluate", None)
    with pytest.raises(ConfigError, match=r"pip install 'adaptkit-nlp\[evaluate\]'"):
        adaptkit.evaluation_module("accuracy")


def test_nothing_to_score_and_sentences_of_other_lengths_are_told() -> None:
    with pytest.raises(ConfigError, match="no examples to score"):
        computed("accuracy", [], [])
    with pytest.raises(ConfigError, match="row 1 of the sentences has 1 predicted tags and 2 right ones"):
        computed("entities", [["O"]], [["O", "O"]])


def test_a_trainers_numbers_are_no_answers() -> None:
    outputs = SimpleNamespace(predictions=np.zeros((2, 8)), label_ids=np.zeros((2, 2)))
    with pytest.raises(ConfigError, match="reads answers, and a Trainer gives numbers"):
        adaptkit.evaluation_module("squad")(outputs)
