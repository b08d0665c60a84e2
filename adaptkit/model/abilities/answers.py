"""Answers of the heads of task adapters."""

from collections.abc import Sequence
from itertools import islice
from typing import Any, cast, overload

from adaptkit.data.tasks import Example
from adaptkit.heads import of_type
from adaptkit.labelled import examples_of
from adaptkit.model.abilities.parts import ModelParts
from adaptkit.model.encoding import require_batch
from adaptkit.model.ensembles import AnsweredBy
from adaptkit.model.generation import Translator, Wanted, bound_of_answers, writes
from adaptkit.model.prediction import Row, predictions
from adaptkit.task_types import Translation, is_example


class Answers(ModelParts):
    """A model answers by the head on top of a stack."""

    @overload
    def predict(
        self,
        inputs: str | Example,
        *,
        stack: AnsweredBy = ...,
        stacks: Sequence[AnsweredBy] | None = ...,
        batch_size: int = ...,
        max_length: int | None = ...,
        max_answer_tokens: int | None = ...,
    ) -> Any: ...  # noqa: ANN401
    @overload
    def predict(
        self,
        inputs: Sequence[Any],
        *,
        stack: AnsweredBy = ...,
        stacks: Sequence[AnsweredBy] | None = ...,
        batch_size: int = ...,
        max_length: int | None = ...,
        max_answer_tokens: int | None = ...,
    ) -> list[Any]: ...
    def predict(
        self,
        inputs: Sequence[Any] | str | Example,
        *,
        stack: AnsweredBy = None,
        stacks: Sequence[AnsweredBy] | None = None,
        batch_size: int = 32,
        max_length: int | None = None,
        max_answer_tokens: int | None = None,
    ) -> Any:
        """Answers of the head on top of `stack`: labels with probabilities, tags, answers, choices or similarities.

        An input is what its task type takes, written plainly (`("premise", "hypothesis")`, a list of words,
        `(question, context)`, ...; see `adaptkit.heads.inputs`), or an example with its label, which is not looked at.
        The result is one `PredictedLabel`, `PredictedLabels`, `PredictedTags`, `PredictedAnswer`, `PredictedChoice`,
        float or translation each; of one string, or one example, its answer alone.

        With `stacks`, each input is under its own, with its own head, of any task type; one batch may hold them all.
        Where a stack is an ensemble (`"topics | sw > topics"`, or `Ensemble("topics", "sw > topics")`), the input is
        answered under each of its stacks, whose heads have the same labels, and the answer is the mean of theirs: of
        probabilities, or scores.
        `max_answer_tokens` bounds answers to questions in place of the head's own bound, and translations. A warning is
        logged once where inputs are longer than the backbone reads, or in another normal form than the text of the
        adapters' training.

        Raises:
            NoHead: A stack ends in no task adapter.
            ConfigError: An input of another form or without text, a batch size below 1, inputs and stacks that differ
                in number, an ensemble whose answers have no mean, or `max_length` where they are translations.
            UnknownAdapter: A stack names an adapter that is not attached.
        """
        one = isinstance(inputs, str) or is_example(inputs)
        given = [inputs] if one else cast("Sequence[Any]", inputs)
        require_batch(batch_size)
        each = self._stacks.ensemble_for_each(len(given), stack, stacks)
        rows = [
            Row(number, given[number], under, *head)
            for number, ensemble in enumerate(each)
            for under, head in zip(ensemble.stacks, ensemble.heads, strict=True)
        ]
        answers = iter(self._answers(rows, batch_size, max_length, max_answer_tokens))
        found = [ensemble.mean(list(islice(answers, len(ensemble.stacks)))) for ensemble in each]
        return found[0] if one else found

    def _answers(
        self, rows: Sequence[Row], batch_size: int, max_length: int | None, max_answer_tokens: int | None
    ) -> list[Any]:
        """The answer to each row."""
        if not writes([row.config for row in rows]):
            return predictions(
                self._passes,
                rows,
                self._notices,
                batch_size=batch_size,
                max_length=max_length,
                max_answer_tokens=max_answer_tokens,
            )
        # What is written has no mean, so that each input is one row.
        examples = examples_of("translation", [row.given for row in rows])
        wanted = [Wanted(it.source, it.source_language, it.language) for it in of_type(Translation, examples)]
        most = bound_of_answers(max_answer_tokens, max_length)
        translator = Translator(self._passes, self._generator)
        stacks = [row.stack for row in rows]
        return translator.translations(wanted, stacks, self._notices, max_new_tokens=most, batch_size=batch_size)
