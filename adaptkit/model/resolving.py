"""From a composition of names to what acts: the plan, the head on top, and all adapters in it."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor

from adaptkit.attaching import AdapterLayers, RowPlan, plan_of, plan_of_layers
from adaptkit.composition import Average, Fuse, Part, Stack, resolved
from adaptkit.data.letters import NormalForm
from adaptkit.errors import AmbiguousAdapter, ConfigError, UnknownAdapter
from adaptkit.layers import Head, ReadsText
from adaptkit.methods import Reading
from adaptkit.model.registry import Attachment, Registry
from adaptkit.model.remembered import RememberedStacks
from adaptkit.model.stacks import ResolvedStack
from adaptkit.task_types import HeadConfig

_BroughtT = TypeVar("_BroughtT")


class Resolver:
    """Resolves stacks against what is attached.

    A stack that was looked up stays as it is: a request that has begun with it ends with the same layers and the same
    head, whatever another thread attaches, replaces or detaches in the meantime.
    """

    def __init__(self, registry: Registry, remembered: RememberedStacks, same_input: Mapping[str, Hashable]) -> None:
        self._registry = registry
        self._remembered = remembered
        self._same_input = same_input

    def remembered(self, asked: Stack) -> ResolvedStack | None:
        """A stack that was looked up before, if nothing in it has changed since. Needs no lock."""
        return self._remembered.get(asked)

    def look_up(self, asked: Stack) -> ResolvedStack:
        """A stack resolved; remembered, until too many are.

        Raises:
            UnknownAdapter, AmbiguousAdapter, ConfigError: As `AdaptedModel.plan`.
        """
        return self._remembered.get(asked) or self._resolved(asked)

    def plan_of_new(self, layers: AdapterLayers, beside: Mapping[str, AdapterLayers]) -> RowPlan:
        """The plan of layers that stand under no id yet, and of nothing else.

        What they fuse is looked for in `beside`, which are not attached yet either, and then in what is attached.
        """
        with self._registry.lock:
            plan = plan_of_layers(layers, lambda name: beside[name] if name in beside else self._registry.layers(name))
        return RowPlan(plan, self._same_input)

    def _resolved(self, asked: Stack) -> ResolvedStack:
        # Locked, so that no plan of layers that have just been replaced is kept.
        with self._registry.lock:
            whole = resolved(asked, self._registry.resolve, self._fusion_of)
            assert isinstance(whole, Stack)  # noqa: S101 - a stack resolves to a stack
            acting = tuple(dict.fromkeys((*whole.ids, *self._all_fused(whole.ids))))
            attached = [self._registry[name] for name in acting]
            still = [one.layers for one in attached if one.adapter is not None]
            head = self._head_on(whole)
            found = ResolvedStack(
                whole,
                RowPlan(plan_of(whole, self._registry.layers), self._same_input, still),
                head,
                acting=acting,
                forms=self._forms(whole.ids),
                reading=self._reading(whole, acting, self._prefix_under(head, attached)),
                undo=self._undoing(whole),
                layers={name: self._registry[name].layers for name in acting},
                adapters={name: self._registry[name].adapter for name in acting},
            )
            self._remembered.keep(asked, found)
            return found

    def _all_fused(self, ids: Iterable[str]) -> Iterator[str]:
        """What the fusions among these fuse, and the fusions among those."""
        for name in ids:
            fused = self._registry[name].layers.config.method.fuses
            parts = [self._registry.names.resolve(part) for part in fused]
            yield from parts
            yield from self._all_fused(parts)

    def _head_on(self, stack: Stack) -> tuple[Head, HeadConfig] | None:
        """The head of the last adapter of a stack with whole ids."""
        top: Part | None = stack
        while isinstance(top, Stack):
            top = top.parts[-1] if top.parts else None
        layers = self._registry[top].layers if isinstance(top, str) else None
        if layers is None or layers.head is None or layers.config.head is None:
            return None
        return layers.head, layers.config.head

    def _undoing(self, part: Part) -> Callable[[Tensor], Tensor] | None:
        """What undoes the invertible layer of the last adapter of a part with whole ids; averaged as that part is."""
        if isinstance(part, Stack):
            return self._undoing(part.parts[-1]) if part.parts else None
        if isinstance(part, Average):
            undoing = [self._undoing(inner) for inner in part.parts]
            shares = [(undo, share) for undo, share in zip(undoing, part.weights, strict=True) if undo is not None]
            return partial(_averaged, shares) if shares else None
        invertible = self._registry[part].layers.invertible if isinstance(part, str) else None
        return None if invertible is None else invertible.inverse

    @staticmethod
    def _prefix_under(head: tuple[Head, HeadConfig] | None, attached: Iterable[Attachment]) -> str | None:
        """The prefix of the head on top; where several are averaged, that of all of them, if it is the same."""
        if head is not None:
            return head[1].text_prefix
        found = {one.layers.config.head.text_prefix for one in attached if one.layers.config.head is not None}
        return found.pop() if len(found) == 1 else None

    def _reading(self, stack: Stack, acting: Iterable[str], prefix: str | None) -> Reading:
        """What a text under the stack is read by, besides the backbone's own pieces; the prefix is that of its head.

        Raises:
            ConfigError: Several adapters bring pieces or glossaries, or one that is averaged or fused with others, or
                one beside which the letters of the text are counted.
        """
        readings = {name: self._registry[name].layers.config.reading for name in acting}
        found = Reading(
            self._brought("pieces of text", {name: reading.pieces for name, reading in readings.items()}, stack),
            self._brought("a glossary", {name: reading.glossary for name, reading in readings.items()}, stack),
            prefix,
        )
        if found.changes_words and (counting := [name for name in acting if self._looks_at_letters(name)]):
            bringing = next(name for name, reading in readings.items() if reading.changes_words)
            raise ConfigError(
                f"{bringing} has text read by {found} of its own, whose letters {counting[0]} (method "
                f"{self._registry[counting[0]].layers.config.method_name!r}) does not know: leave one of them out of "
                f"{stack}."
            )
        return found

    @staticmethod
    def _brought(what: str, by_adapter: Mapping[str, _BroughtT | None], stack: Stack) -> _BroughtT | None:
        """What one adapter of the stack brings with it."""
        having = [name for name, brought in by_adapter.items() if brought is not None]
        if len(having) > 1:
            raise ConfigError(
                f"{' and '.join(having)} each bring {what} of their own, and a text is read by those of one adapter: "
                f"leave one of them out of {stack}."
            )
        if having and having[0] not in stack.parts:
            raise ConfigError(
                f"{having[0]} brings {what} of its own, which cannot be averaged or fused with what other adapters "
                f"read: name it by itself in the stack, found {stack}."
            )
        return by_adapter[having[0]] if having else None

    def _looks_at_letters(self, name: str) -> bool:
        return any(isinstance(layer, ReadsText) for layer in self._registry[name].layers.modules())

    def _forms(self, ids: Iterable[str]) -> dict[str, NormalForm]:
        adapters = [self._registry[name].adapter for name in ids]
        return {one.id: one.normal_form for one in adapters if one is not None and one.normal_form}

    def _fusion_of(self, fuse: Fuse) -> str:
        """The id of the attached adapter that fuses these."""
        registry = self._registry
        found = [
            name for name in registry.names.ids if set(registry[name].layers.config.method.fuses) == set(fuse.parts)
        ]
        if len(found) > 1:
            raise AmbiguousAdapter(str(fuse), found)
        if not found:
            raise UnknownAdapter(str(fuse), registry.names.ids)
        return found[0]


def _averaged(shares: Sequence[tuple[Callable[[Tensor], Tensor], float]], states: Tensor) -> Tensor:
    """What each function changes, averaged. Shape: states and result (..., hidden_width)."""
    return states + torch.stack([share * (undo(states) - states) for undo, share in shares]).sum(dim=0)
