"""What a backbone knows already: a linear head on its frozen vectors, scored on the caller's labelled lines."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adaptkit.choosing.candidate import ProbeScore
from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError, EmptyCorpus
from adaptkit.model import AdaptedModel
from adaptkit.projection.states import WordStates
from adaptkit.scores import UNTAGGED
from adaptkit.scores.bootstrap import score_interval
from adaptkit.task_types import (
    TASK_TYPES,
    LabelledText,
    PredictedLabel,
    PredictedTags,
    TaggedSentence,
    TaskMetric,
    head_for,
)
from adaptkit.terminal.amounts import counted

_FOLDS = 5
_LEAST = 10
MOST_LINES = 400
PROBED = ("classification", "tagging", "pos")


@dataclass(frozen=True)
class Probed:
    """A score, and what its metric sums for each line, for a comparison with another backbone."""

    score: ProbeScore
    metric: TaskMetric[Any, Any]
    statistics: NDArray[np.float64]


def require_probed(data: TaskData) -> None:
    """Refuse what a linear head on frozen vectors cannot be tried on.

    Raises:
        ConfigError: Another task type, or one label only.
        EmptyCorpus: Fewer than 10 lines.
    """
    if data.task_type not in PROBED:
        raise ConfigError(f"a probe is for {', '.join(PROBED)}, and {data.description} holds {data.task_type}.")
    if len(data.labels) < 2:
        raise ConfigError(f"a probe needs two labels or more; {data.description} has {', '.join(data.labels)}.")
    if len(data.examples) < _LEAST:
        raise EmptyCorpus(
            f"{data.description} holds {counted(len(data.examples), 'example')}; a probe needs {_LEAST} at least, and "
            "says little below a hundred."
        )


def probed(model: AdaptedModel, data: TaskData, *, batch_size: int = 16) -> Probed:
    """Score 400 lines, drawn evenly and always the same ones, each by a head that was trained on other ones (5 folds).

    Shape: the statistics are (n_lines, k).

    Raises:
        ConfigError, EmptyCorpus: As `require_probed`.
    """
    require_probed(data)
    examples = _drawn(data.examples)
    row = TASK_TYPES[data.task_type]
    name = row.default_metrics[0]
    predict = _label_predictions if data.task_type == "classification" else _tag_predictions
    answers, most_frequent = predict(model, examples, batch_size)
    metric: TaskMetric[Any, Any] = row.metrics[name](head_for(data), "und", examples)
    statistics = metric.statistics(answers, examples)
    score, low, high = score_interval(metric.metric, statistics)
    always = metric.metric.score(metric.statistics(most_frequent, examples).sum(axis=0))
    found = ProbeScore(
        metric=name, score=score, low=low, high=high, n_examples=len(examples), majority=round(float(always), 1)
    )
    return Probed(found, metric, statistics)


def _drawn(examples: Sequence[Any]) -> list[Any]:
    chosen = np.random.default_rng(0).permutation(len(examples))[:MOST_LINES]
    return [examples[number] for number in sorted(chosen.tolist())]


def _label_predictions(
    model: AdaptedModel, examples: Sequence[Any], batch_size: int
) -> tuple[list[PredictedLabel], list[PredictedLabel]]:
    texts: list[LabelledText] = list(examples)
    vectors = _of_texts(model, [it.text for it in texts], batch_size)
    if any(it.pair is not None for it in texts):
        others = _of_texts(model, [it.pair or "" for it in texts], batch_size)
        vectors = np.concatenate([vectors, others, np.abs(vectors - others), vectors * others], axis=1)
    labels = np.array([it.label for it in texts])
    answers = _out_of_fold(vectors, labels, np.arange(len(labels)))
    most = max(sorted(set(labels.tolist())), key=labels.tolist().count)
    return [PredictedLabel(str(answer), {}) for answer in answers], [PredictedLabel(most, {})] * len(texts)


def _tag_predictions(
    model: AdaptedModel, examples: Sequence[Any], batch_size: int
) -> tuple[list[PredictedTags], list[PredictedTags]]:
    """Words by the mean of their tokens' states at two thirds of the depth; those beyond what is read are outside."""
    sentences: list[TaggedSentence] = list(examples)
    states = [of.numpy() for of in WordStates(model, batch_size=batch_size).of([it.words for it in sentences])]
    read = [len(of) for of in states]
    tags = np.array([tag for it, n in zip(sentences, read, strict=True) for tag in it.tags[:n]])
    groups = np.repeat(np.arange(len(sentences)), read)
    tagged = tags != UNTAGGED
    known = tags[tagged].tolist()
    most = max(sorted(set(known)), key=known.count, default=UNTAGGED)
    outside = "O" if "O" in known else most
    found = np.full_like(tags, most)
    found[tagged] = _out_of_fold(np.concatenate(states)[tagged], tags[tagged], groups[tagged])
    answers = iter(found)
    given = [
        PredictedTags((*(str(next(answers)) for _ in range(n)), *[outside] * (len(it.words) - n)), n)
        for it, n in zip(sentences, read, strict=True)
    ]
    return given, [PredictedTags((most,) * len(it.words), len(it.words)) for it in sentences]


def _of_texts(model: AdaptedModel, texts: Sequence[str], batch_size: int) -> NDArray[np.float64]:
    vectors: NDArray[np.float64] = model.encode(list(texts), batch_size=batch_size).numpy().astype(np.float64)
    return vectors


def _out_of_fold(vectors: NDArray[Any], labels: NDArray[np.str_], groups: NDArray[np.int64]) -> NDArray[np.str_]:
    """The answer to each row by a head that saw no row of its group.

    Shape: vectors (n, width), labels and groups (n).
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    answers = np.empty(len(labels), dtype=labels.dtype)
    folds = StratifiedGroupKFold(n_splits=_FOLDS, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        # A label with fewer rows than folds, and a head that has not quite come to rest, are both well enough here.
        warnings.simplefilter("ignore")
        for train, test in folds.split(vectors, labels, groups):
            if len(set(labels[train].tolist())) == 1:
                answers[test] = labels[train][0]
                continue
            head = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500, C=0.1))
            answers[test] = head.fit(vectors[train], labels[train]).predict(vectors[test])
    return answers
