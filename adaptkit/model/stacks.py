"""Stacks, as callers name them and as they are once looked up."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from torch import Tensor

from adaptkit.attaching import AdapterLayers, RowPlan, plan_of
from adaptkit.attaching.plan import modules_in
from adaptkit.composition import Composition, Ensemble, Stack, one_stack
from adaptkit.data.letters import NormalForm
from adaptkit.errors import ConfigError, NotConvertible
from adaptkit.layers import Head, ReadsText
from adaptkit.methods import Reading
from adaptkit.storage import Adapter
from adaptkit.task_types import HeadConfig


@dataclass(frozen=True, eq=False)
class ResolvedStack:
    """A stack as it was when it was looked up: whole ids, its plan, and the head on top.

    `acting` are the ids of all that acts in it, what fusions fuse included, and `layers` those of each; `forms` are
    those of its adapters that were trained on text in a normal form, and `reading` is what its text is read by besides
    the backbone's own pieces. `undo` is what happens to hidden states before tokens are predicted from them, as in the
    training of its last adapter: the inverse of that one's invertible layer. `adapters` are those that the layers are
    of, None for layers in training. What is attached, swapped or detached later changes nothing in it.
    """

    stack: Stack
    plan: RowPlan
    head: tuple[Head, HeadConfig] | None
    acting: tuple[str, ...] = ()
    forms: Mapping[str, NormalForm] = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)
    undo: Callable[[Tensor], Tensor] | None = None
    layers: Mapping[str, AdapterLayers] = field(default_factory=dict)
    adapters: Mapping[str, Adapter | None] = field(default_factory=dict)

    def without(self, name: str, same_input: Mapping[str, Hashable]) -> "ResolvedStack":
        """The same without the layers of one adapter that acts in it, by its whole id; a head stays on top.

        What others add stays, at the weights that it has; a fusion chooses among those that are left. `same_input` is
        that of `RowPlan`.
        """
        return replace(
            self,
            plan=RowPlan(plan_of(self.stack, self.layers.__getitem__, {name}), same_input),
            acting=tuple(other for other in self.acting if other != name),
            forms={other: form for other, form in self.forms.items() if other != name},
            reading=self.reading.without(self.layers[name].config.reading),
        )

    @property
    def projection(self) -> AdapterLayers | None:
        """The uppermost adapter in it that has kept its projection to tokens."""
        every = (self.layers[name] for name in reversed(self.stack.ids))
        return next((layers for layers in every if layers.projection is not None), None)

    def require_own_vocabulary(self, what: str) -> None:
        """Let its text be read by the backbone's pieces alone, for `what` has no place for anything else.

        Raises:
            NotConvertible: An adapter in it brings pieces or a glossary.
        """
        if self.reading.changes_words:
            raise NotConvertible(
                f"in {self.stack}, text is read by {self.reading} that an adapter brings with it, and {what} has no "
                "place for them. Serve the stack by adaptkit itself: model.predict, model.encode."
            )

    def require_states_alone(self, what: str) -> None:
        """Let its layers read what the backbone computes and nothing else, for `what` tells them no more.

        Raises:
            NotConvertible: A layer in it looks at the letters of the text.
        """
        if any(isinstance(layer, ReadsText) for chain in self.plan.values() for layer in modules_in(chain)):
            raise NotConvertible(
                f"an adapter in {self.stack} looks at the letters of the text (method ngrams), which {what} cannot do. "
                "Serve the stack by adaptkit itself, model.predict or model.encode, or leave that adapter out."
            )

    def require_outputs(self, what: str) -> None:
        """Let its head answer with outputs, for `what` gives those alone.

        Raises:
            NotConvertible: The head answers with text that the backbone writes.
        """
        if self.head is not None and self.head[1].row.writes:
            raise NotConvertible(
                f"{self.stack} ends in an adapter for {self.head[1].task_type}, whose answers the backbone writes "
                f"token by token, and {what} gives outputs and writes nothing. Serve the stack by adaptkit itself: "
                "model.translate."
            )


Named: TypeAlias = Composition | Adapter | str | None
StackLike: TypeAlias = Named | ResolvedStack


def as_stack(named: Named | Ensemble) -> Stack:
    """A stack of what may stand for one.

    Raises:
        ConfigError: It is not a stack; an ensemble is none.
    """
    if named is None:
        return Stack()
    if isinstance(named, Adapter):
        return Stack(*named.below, named.id, any_order=True)
    if isinstance(named, str):
        return Stack.parse(named)
    if isinstance(named, list | tuple):
        names = [part.id if isinstance(part, Adapter) else str(part) for part in named]
        raise ConfigError(
            f"a stack is one value, found a {type(named).__name__}; write {' > '.join(names)!r}, or for an ensemble "
            f"{' | '.join(names)!r}."
        )
    return one_stack(named) if isinstance(named, Stack | Ensemble) else Stack(named)
