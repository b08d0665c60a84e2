"""Answers of the heads of task adapters."""

from collections.abc import Sequence
from typing import Any, cast, overload

from adaptkit.data.tasks import Example
from adaptkit.heads import of_type
from adaptkit.labelled import examples_of
from adaptkit.model.abilities.parts import ModelParts
from adaptkit.model.encoding import require_batch
from adaptkit.model.ensembles import mean_of, members_of
from adaptkit.model.generation import Translator, Wanted, bound_of_answers, writes
from adaptkit.model.prediction import predictions
from adaptkit.model.stacks import StackLike
from adaptkit.task_types import Translation, is_example


class Answers(ModelParts):
    """A model answers by the head on top of a stack."""

    @overload
    def predict(
        self,
        inputs: str | Example,
        *,
        stack: StackLike = ...,
        stacks: Sequence[StackLike] | None = ...,
        ensemble: Sequence[StackLike] | None = ...,
        batch_size: int = ...,
        max_length: int | None = ...,
        max_answer_tokens: int | None = ...,
    ) -> Any: ...  # noqa: ANN401
    @overload
    def predict(
        self,
        inputs: Sequence[Any],
        *,
        stack: StackLike = ...,
        stacks: Sequence[StackLike] | None = ...,
        ensemble: Sequence[StackLike] | None = ...,
        batch_size: int = ...,
        max_length: int | None = ...,
        max_answer_tokens: int | None = ...,
    ) -> list[Any]: ...
    def predict(
        self,
        inputs: Sequence[Any] | str | Example,
        *,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        ensemble: Sequence[StackLike] | None = None,
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
        With `ensemble`, each input is answered under all of its stacks, whose heads have the same labels, and the
        answer is the mean of theirs: of probabilities, or scores.
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
        asked = (batch_size, max_length, max_answer_tokens)
        if ensemble is None:
            answers = self._answers(given, stack, stacks, *asked)
        else:
            members = self._stacks.every(members_of(ensemble, stack, stacks))
            heads = [self._stacks.head_of(each)[1] for each in members]
            mean = mean_of(members, heads)
            each_of = [self._answers(given, member, None, *asked) for member in members]
            answers = [mean(several) for several in zip(*each_of, strict=True)]
        return answers[0] if one else answers

    def _answers(
        self,
        inputs: Sequence[Any],
        stack: StackLike,
        stacks: Sequence[StackLike] | None,
        batch_size: int,
        max_length: int | None,
        max_answer_tokens: int | None,
    ) -> list[Any]:
        require_batch(batch_size)
        each = self._stacks.for_each(len(inputs), stack, stacks)
        if stacks is None:
            # Validate even when there are no inputs.
            self._stacks.head_of(each[0] if each else stack)
        heads = [self._stacks.head_of(one) for one in each]
        if writes([config for _, config in heads]):
            examples = examples_of("translation", inputs)
            wanted = [Wanted(it.source, it.source_language, it.language) for it in of_type(Translation, examples)]
            most = bound_of_answers(max_answer_tokens, max_length)
            translator = Translator(self._passes, self._generator)
            return translator.translations(wanted, each, self._notices, max_new_tokens=most, batch_size=batch_size)
        return predictions(
            self._passes,
            inputs,
            each,
            heads,
            self._notices,
            batch_size=batch_size,
            max_length=max_length,
            max_answer_tokens=max_answer_tokens,
        )
