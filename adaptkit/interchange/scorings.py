"""Our scores under the names, in the forms and on the scales that the package evaluate has for them.

Shares lie between 0 and 1, and those of answers between 0 and 100, as there.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, TypeAlias

import numpy as np

from adaptkit.errors import ConfigError
from adaptkit.languages import canonical_tag
from adaptkit.scores import (
    SQUAD,
    Accuracy,
    AnswerF1,
    AnswerNormaliser,
    EntityF1,
    ExactMatch,
    LabelSetF1,
    MacroF1,
    Metric,
    PearsonCorrelation,
    mlqa_normaliser,
)
from adaptkit.scores.translation import Bleu, ChrF
from adaptkit.terminal.amounts import row_of

Reads: TypeAlias = Literal["labels", "label sets", "tags", "answers", "numbers", "texts"]
Found: TypeAlias = dict[str, float | dict[str, float]]


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """What a module of evaluate computes, and of what.

    `names` are those of the labels by their ids, where a `Trainer` gives ids; empty where they stay ids.
    """

    name: str
    reads: Reads
    description: str
    paper: str
    compute: Callable[[Sequence[Any], Sequence[Any]], Found]
    names: tuple[str, ...] = ()


def scoring(name: str, options: Mapping[str, Any]) -> Scoring:
    """The one of a name.

    Raises:
        ConfigError: There is none, or it has no such option, or lacks one.
        UnknownLanguage: `lang` is no language.
    """
    if name not in SCORINGS:
        near = get_close_matches(str(name), SCORINGS, n=1)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"there is no score {name!r}; known: {', '.join(SCORINGS)}.{meant}")
    made = SCORINGS[name]
    try:
        inspect.signature(made).bind(**options)
    except TypeError as error:
        taken = ", ".join(inspect.signature(made).parameters) or "none"
        raise ConfigError(f"the score {name!r} takes these options: {taken} ({error}).") from error
    return made(**options)


def _share(metric: Metric[Any, Any], predicted: Sequence[Any], gold: Sequence[Any]) -> float:
    return float(metric.score(metric.statistics(predicted, gold).sum(axis=0))) / 100


def _accuracy() -> Scoring:
    return Scoring(
        name="accuracy",
        reads="labels",
        description="Share of texts with the right label, 0 to 1.",
        paper="",
        compute=lambda predicted, gold: {"accuracy": _share(Accuracy(), predicted, gold)},
    )


def _macro_f1() -> Scoring:
    def compute(predicted: Sequence[Any], gold: Sequence[Any]) -> Found:
        found, right = [str(label) for label in predicted], [str(label) for label in gold]
        return {"macro_f1": _share(MacroF1(tuple(sorted({*found, *right}))), found, right)}

    return Scoring(
        name="macro_f1",
        reads="labels",
        description="Mean over the labels that occur of each label's F1, 0 to 1: F1 with average='macro'.",
        paper="",
        compute=compute,
    )


def _label_sets(labels: Sequence[str] = ()) -> Scoring:
    def compute(predicted: Sequence[Any], gold: Sequence[Any]) -> Found:
        known = tuple(sorted({label for labels in (*predicted, *gold) for label in labels}))
        if not known:
            return {"micro_f1": 0.0, "macro_f1": 0.0}
        return {
            "micro_f1": _share(LabelSetF1(known, "micro"), predicted, gold),
            "macro_f1": _share(LabelSetF1(known, "macro"), predicted, gold),
        }

    return Scoring(
        name="label_sets",
        reads="label sets",
        description="F1 of any number of labels for each text, 0 to 1, over the labels that occur.",
        paper="",
        compute=compute,
        names=tuple(labels),
    )


def _entities(labels: Sequence[str] = (), ignore: Sequence[str] = ()) -> Scoring:
    def compute(predicted: Sequence[Any], gold: Sequence[Any]) -> Found:
        for number, (found, right) in enumerate(zip(predicted, gold, strict=True)):
            if len(found) != len(right):
                where = row_of(number, "sentences")
                raise ConfigError(
                    f"{where} has {len(found)} predicted tags and {len(right)} right ones; give one a word."
                )
        types = {tag.partition("-")[2] for tags in (*predicted, *gold) for tag in tags} - {""}
        each = {kind: _of_entities(EntityF1(frozenset({*ignore, *types} - {kind})), predicted, gold) for kind in types}
        right = sum(
            found == tag
            for ours, theirs in zip(predicted, gold, strict=True)
            for found, tag in zip(ours, theirs, strict=True)
        )
        whole = _of_entities(EntityF1(frozenset(ignore)), predicted, gold)
        by_type = {kind: found for kind, found in sorted(each.items()) if kind not in ignore}
        overall = {f"overall_{name}": value for name, value in whole.items() if name != "number"}
        return {**by_type, **overall, "overall_accuracy": right / max(1, sum(map(len, gold)))}

    return Scoring(
        name="entities",
        reads="tags",
        description="Precision, recall and F1 of entities in IOB2 tags, 0 to 1, as seqeval and conlleval count them.",
        paper="Tjong Kim Sang and De Meulder 2003, Introduction to the CoNLL-2003 Shared Task",
        compute=compute,
        names=tuple(labels),
    )


def _of_entities(metric: EntityF1, predicted: Sequence[Any], gold: Sequence[Any]) -> dict[str, float]:
    sums = metric.statistics(predicted, gold).sum(axis=0)
    correct, found, right = map(float, sums)
    return {
        "precision": correct / found if found else 0.0,
        "recall": correct / right if right else 0.0,
        "f1": float(metric.score(sums)) / 100,
        "number": int(right),
    }


def _squad() -> Scoring:
    return _answers(
        "squad",
        SQUAD,
        "SQuAD's scorer, made for English.",
        "Rajpurkar et al. 2016, arXiv:1606.05250; 2018, arXiv:1806.03822",
    )


def _mlqa(lang: str) -> Scoring:
    tag = canonical_tag(lang)
    return _answers(
        f"mlqa_{tag}",
        mlqa_normaliser(lang),
        f"MLQA's scorer for contexts in {tag}.",
        "Lewis et al. 2020, arXiv:1910.07475",
    )


def _answers(name: str, normaliser: AnswerNormaliser, said: str, paper: str) -> Scoring:
    def compute(predicted: Sequence[Any], gold: Sequence[Any]) -> Found:
        answer = _by_id(predicted, gold)
        ours = [answer[str(question["id"])] for question in gold]
        theirs = [tuple(question["answers"]["text"]) for question in gold]
        return {
            "exact_match": 100 * _share(ExactMatch(normaliser), ours, theirs),
            "f1": 100 * _share(AnswerF1(normaliser), ours, theirs),
        }

    return Scoring(
        name=name,
        reads="answers",
        description=f"Exact match and token F1 of answers, 0 to 100: {said} A question without a gold answer has none.",
        paper=paper,
        compute=compute,
    )


def _by_id(predicted: Sequence[Any], gold: Sequence[Any]) -> dict[str, str]:
    """The answers by the ids of their questions, which need not be in one order.

    Raises:
        ConfigError: A question is answered not at all or twice, or one that is none.
    """
    answers = {str(found["id"]): str(found["prediction_text"]) for found in predicted}
    ids = {str(question["id"]) for question in gold}
    if len(answers) < len(predicted) or len(ids) < len(gold):
        raise ConfigError("a question's id occurs twice among predictions or references; each needs one of its own.")
    if missing := sorted(ids ^ answers.keys()):
        side = "predictions" if missing[0] in ids else "references"
        raise ConfigError(f"the question {missing[0]!r:.80} is not among the {side}; give one answer for each id.")
    return answers


def _pearson() -> Scoring:
    return Scoring(
        name="pearson",
        reads="numbers",
        description="Pearson's correlation of predicted and gold scores, -1 to 1; 0 where either side is constant.",
        paper="",
        compute=lambda predicted, gold: {"pearson": _share(PearsonCorrelation(), predicted, gold)},
    )


def _chrf() -> Scoring:
    return _translations("chrf", ChrF(), "chrF++", "Popović 2017, doi:10.18653/v1/W17-4770")


def _bleu() -> Scoring:
    return _translations("bleu", Bleu(), "BLEU", "Post 2018, arXiv:1804.08771")


def _translations(name: str, metric: ChrF | Bleu, called: str, paper: str) -> Scoring:
    return Scoring(
        name=name,
        reads="texts",
        description=f"{called} of all translations together, 0 to 100, by sacrebleu.",
        paper=paper,
        compute=lambda predicted, gold: {"score": 100 * _share(metric, predicted, gold)},
    )


SCORINGS: Mapping[str, Callable[..., Scoring]] = {
    "accuracy": _accuracy,
    "macro_f1": _macro_f1,
    "label_sets": _label_sets,
    "entities": _entities,
    "squad": _squad,
    "mlqa": _mlqa,
    "pearson": _pearson,
    "chrf": _chrf,
    "bleu": _bleu,
}


def of_trainer(scored: Scoring, predictions: Any, label_ids: Any) -> tuple[list[Any], list[Any]]:  # noqa: ANN401
    """What a `Trainer` has predicted, as the score reads it: of outputs in a tuple the first, and no ignored place.

    Shape: logits (n, n_labels), or (n, seq, n_labels) for tags, or (n, 1) for numbers; label_ids (n), (n, n_labels) for
    label sets, or (n, seq) with -100 where none is asked. Answers and texts are what stands there already.

    Raises:
        ConfigError: Names of the labels are needed and were not given, or there are others; or numbers stand where
            answers or texts are read.
    """
    if scored.reads in ("answers", "texts"):
        if np.asarray(predictions[0]).dtype.kind in "fiu":
            raise ConfigError(
                f"{scored.name} reads {scored.reads}, and a Trainer gives numbers. Write a compute_metrics that makes "
                f"{scored.reads} of them and calls module.compute(predictions=..., references=...)."
            )
        return list(predictions), list(label_ids)
    logits, gold = np.asarray(predictions[0] if isinstance(predictions, tuple) else predictions), np.asarray(label_ids)
    if scored.reads == "numbers":
        return logits.reshape(len(gold)).tolist(), gold.reshape(len(gold)).tolist()
    if scored.reads == "labels":
        return logits.argmax(axis=-1).tolist(), gold.tolist()
    if len(scored.names) != logits.shape[-1]:
        raise ConfigError(
            f"{scored.name} of a Trainer needs the names of the {logits.shape[-1]} labels in their order, found "
            f"{len(scored.names)}: give labels=[...]."
        )
    if scored.reads == "label sets":
        return _chosen(logits > 0, scored.names), _chosen(gold > 0, scored.names)
    return _tags(logits.argmax(axis=-1), gold, scored.names), _tags(gold, gold, scored.names)


def _chosen(indicators: Any, names: tuple[str, ...]) -> list[Any]:  # noqa: ANN401
    return [[name for name, here in zip(names, row, strict=True) if here] for row in indicators]


def _tags(ids: Any, gold: Any, names: tuple[str, ...]) -> list[Any]:  # noqa: ANN401
    return [[names[tag] for tag, right in zip(*row, strict=True) if right >= 0] for row in zip(ids, gold, strict=True)]
