"""Why a model answers as it does."""

from collections.abc import Sequence
from typing import Any, TypeAlias, overload

from adaptkit.data.tasks import Example
from adaptkit.explanations import Explanation
from adaptkit.model.abilities.parts import ModelParts
from adaptkit.model.explaining import explanations, wanted_of
from adaptkit.model.stacks import StackLike
from adaptkit.requests import Explaining

OneInput: TypeAlias = str | tuple[Any, ...] | Example


class Reasons(ModelParts):
    """A model says what each word of an input adds to its answer, and what each adapter does."""

    @overload
    def explain(
        self,
        inputs: list[Any],
        *,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        target: Any = None,  # noqa: ANN401
        word: Any = None,  # noqa: ANN401
        how: Explaining | None = None,
    ) -> list[Explanation]: ...

    @overload
    def explain(
        self,
        inputs: OneInput,
        *,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        target: Any = None,  # noqa: ANN401
        word: Any = None,  # noqa: ANN401
        how: Explaining | None = None,
    ) -> Explanation: ...

    def explain(
        self,
        inputs: list[Any] | OneInput,
        *,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        target: Any = None,
        word: Any = None,
        how: Explaining | None = None,
    ) -> Explanation | list[Explanation]:
        """Why the head on top of `stack` gives its answer: what each word adds, and what each adapter does.

        An input is what `predict` takes. A list is several, and gives a list; anything else (a text, a tuple of texts
        or words, an example) is one. `target` is another answer than the one that is given (a label, a piece of the
        context, a choice), and `word` the word whose tag is explained, or its number; each may be a list, with one for
        each input. With `stacks`, each input is under its own.

        Words add to the log odds of the answer (where the head gives a number, to that), by integrated gradients from
        the same input with a mask token in the place of each word. Where what they add does not add up, more steps are
        taken; a warning is logged where that was not enough.

        Raises:
            NoHead: A stack ends in no task adapter.
            ConfigError: An input, target or word that the task type does not have, a task type that cannot be
                explained, or captum is not installed.
            UnknownAdapter: A stack names an adapter that is not attached.
        """
        given = inputs if isinstance(inputs, list) else [inputs]
        each = self._stacks.for_each(len(given), stack, stacks)
        heads = [self._stacks.head_of(one) for one in each or [self._stacks.one(stack)]][: len(given)]
        wanted = wanted_of(len(given), target, word)
        found = explanations(self._passes, given, each, heads, self._notices, how or Explaining(), wanted)
        return found if isinstance(inputs, list) else found[0]
