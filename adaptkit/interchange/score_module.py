"""A score as an `evaluate.EvaluationModule`; needs the package evaluate."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from datasets import Features, List, Value

from adaptkit.errors import ConfigError
from adaptkit.interchange.scorings import Found, Reads, Scoring, of_trainer
from adaptkit.version import __version__, install_command

try:
    import evaluate
except ImportError as error:
    raise ConfigError(f"this needs the package evaluate: {error}. Run: {install_command('evaluate')}") from error


class ScoreModule(evaluate.Metric):  # type: ignore[misc]  # evaluate has no types
    """Has `compute`, `add` and `add_batch`, and may be combined with others: `evaluate.combine([module, ...])`.

    It may itself be a Trainer's `compute_metrics`. Everything stays in memory: nothing is written to a cache folder,
    and no hub is asked.
    """

    def __init__(self, scored: Scoring) -> None:
        self._scored = scored
        super().__init__(keep_in_memory=True)
        self._module_info.module_name = scored.name

    def __call__(self, prediction: Any) -> dict[str, float]:  # noqa: ANN401 - a transformers.EvalPrediction
        """The scores of a `Trainer`'s predictions; those of each entity type are left out.

        Raises:
            ConfigError: The labels have no names, where they are needed, or numbers stand for answers or texts.
        """
        found = self._scored.compute(*of_trainer(self._scored, prediction.predictions, prediction.label_ids))
        return {name: value for name, value in found.items() if not isinstance(value, dict)}

    def compute(self, *, predictions: Any = None, references: Any = None, **others: Any) -> Any:  # noqa: ANN401
        """The scores of what is given here, or was added before; None in a process that is not the main one.

        Raises:
            ConfigError: There is nothing to score, or what is given has another form.
        """
        if predictions is not None and not len(predictions):
            raise ConfigError(f"{self._scored.name} has no examples to score; give at least one.")
        return super().compute(predictions=predictions, references=references, **others)

    def _build_data_dir(self) -> str:
        # The original makes a folder in the cache, though nothing is written there.
        return self._data_dir_root  # type: ignore[no-any-return]

    def _infer_feature_from_example(self, example: dict[str, Any]) -> Features:
        # As the original, which lets a key that is missing through as an error of its own.
        for form in self.features:
            with suppress(ValueError, TypeError, KeyError):
                self._enforce_nested_string_type(form, example)
                form.encode_example(example)
                return form
        raise ConfigError(
            f"{self.name} reads {_INPUTS[self._scored.reads]} Found the prediction {example['predictions']!r:.80} and "
            f"the reference {example['references']!r:.80}."
        )

    def _info(self) -> Any:  # noqa: ANN401
        return evaluate.MetricInfo(
            description=self._scored.description,
            citation=self._scored.paper,
            inputs_description=f"\n{self._scored.description}\n{_INPUTS[self._scored.reads]}",
            features=[
                Features({"predictions": predicted, "references": gold})
                for predicted, gold in _features(self._scored.reads)
            ],
            homepage=f"adaptkit {__version__}",
        )

    def _compute(self, *, predictions: Sequence[Any], references: Sequence[Any]) -> Found:
        return self._scored.compute(predictions, references)


_INPUTS: dict[Reads, str] = {
    "labels": "predictions and references: a label for each text, as a text or an integer.",
    "label sets": "predictions and references: a list of labels for each text.",
    "tags": "predictions and references: a list of IOB2 tags for each sentence.",
    "answers": (
        "predictions: {'id': ..., 'prediction_text': ...} for each question; references: {'id': ..., 'answers': "
        "{'text': [...]}}, with or without 'answer_start'."
    ),
    "numbers": "predictions and references: a number for each example.",
    "texts": "predictions and references: a translation for each sentence.",
}


def _features(reads: Reads) -> list[tuple[Any, Any]]:
    """The forms that predictions and references may have."""
    text = Value("string")
    if reads == "answers":
        answer = {"id": text, "prediction_text": text}
        with_place = {"id": text, "answers": {"text": List(text), "answer_start": List(Value("int32"))}}
        return [(answer, with_place), (answer, {"id": text, "answers": {"text": List(text)}})]
    kinds = {
        "labels": [Value("int64"), text],
        "label sets": [List(text)],
        "tags": [List(text)],
        "numbers": [Value("float64")],
        "texts": [text],
    }
    return [(kind, kind) for kind in kinds[reads]]
