"""The layers that are attached to a model: by id, by what names mean, and as the plans of compositions."""

import difflib
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from threading import RLock

from torch import nn

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.attaching.hooks import SiteHooks
from adaptkit.attaching.plan import Plan, plan_of, plan_of_layers
from adaptkit.attaching.rows import RowPlan
from adaptkit.composition import Fuse, Part, Stack, resolved
from adaptkit.config import FusionConfig, HeadConfig
from adaptkit.errors import AmbiguousAdapter, UnknownAdapter
from adaptkit.layers import Head

_Asked = tuple[Stack, bool]
_MOST_PLANS = 4096
"""A plan of a LoRA in 12 blocks takes a tenth of a megabyte."""


@dataclass(frozen=True, eq=False)
class ResolvedStack:
    """A stack as it was when it was looked up: whole ids, its plan, and the head on top.

    `acting` are the ids of all that acts in it, what fusions fuse included. What is attached, swapped or detached later
    changes nothing in it.
    """

    stack: Stack
    plan: RowPlan
    head: tuple[Head, HeadConfig] | None
    acting: tuple[str, ...] = ()


class AttachedLayers:
    """What is attached to one backbone. Adding and removing takes as long whatever else is attached.

    A stack that was looked up stays as it is: a request that has begun with it ends with the same layers and the same
    head, whatever another thread attaches, replaces or detaches in the meantime.
    """

    def __init__(self, hooks: SiteHooks, same_input: Mapping[str, Hashable]) -> None:
        self.modules = nn.ModuleDict()
        self._hooks = hooks
        self._same_input = same_input
        self._by_id: dict[str, AdapterLayers] = {}
        self._by_bare_name: dict[str, list[str]] = {}
        self._stacks: dict[_Asked, ResolvedStack] = {}
        self._stacks_with: dict[str, set[_Asked]] = {}
        self.lock = RLock()
        """Whoever makes several changes that belong together, or looks up stacks that do, holds it meanwhile."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids, in the order of attaching."""
        return tuple(self._by_id)

    @property
    def with_heads(self) -> list[str]:
        """The ids of those that have a head."""
        return [name for name, layers in tuple(self._by_id.items()) if layers.head is not None]

    def __contains__(self, adapter_id: str) -> bool:
        return adapter_id in self._by_id

    def __getitem__(self, adapter_id: str) -> AdapterLayers:
        return self._by_id[adapter_id]

    def __iter__(self) -> Iterator[AdapterLayers]:
        return iter(tuple(self._by_id.values()))

    def put(self, adapter_id: str, layers: AdapterLayers) -> None:
        """Let an id stand for these layers from now on, whatever it stood for before."""
        with self.lock:
            before = self._by_id.get(adapter_id)
            self._hooks.add(module for module, _ in layers.items())
            if before is None:
                self._by_bare_name.setdefault(_bare(adapter_id), []).append(adapter_id)
            else:
                self._hooks.remove(module for module, _ in before.items())
            self._by_id[adapter_id] = layers
            self.modules[_module_name(adapter_id)] = layers
            self._forget_plans(adapter_id, _bare(adapter_id), *_fused_by(layers))

    def take_off(self, adapter_id: str) -> None:
        """Let an id stand for nothing."""
        with self.lock:
            layers = self._by_id.pop(adapter_id)
            self._by_bare_name[_bare(adapter_id)].remove(adapter_id)
            del self.modules[_module_name(adapter_id)]
            self._hooks.remove(module for module, _ in layers.items())
            self._forget_plans(adapter_id, _bare(adapter_id), *_fused_by(layers))

    def resolved_new(self, layers: AdapterLayers, beside: Mapping[str, AdapterLayers]) -> ResolvedStack:
        """The stack of layers that stand under no id yet, and nothing else.

        What they fuse is looked for in `beside`, which are not attached yet either, and then in what is attached.
        """
        with self.lock:
            plan = plan_of_layers(layers, lambda name: beside[name] if name in beside else self._named(name))
        return ResolvedStack(Stack(), self._row_plan(plan), None)

    def meant_by(self, name: str) -> list[str]:
        """The ids that an id or a bare name may mean."""
        return [name] if name in self._by_id else list(self._by_bare_name.get(name, ()))

    def resolve(self, name: str) -> str:
        """The one id that a name means.

        Raises:
            UnknownAdapter, AmbiguousAdapter: None, or several.
        """
        candidates = self.meant_by(name)
        if len(candidates) > 1:
            raise AmbiguousAdapter(name, candidates)
        if not candidates:
            like = difflib.get_close_matches(name, [*self.ids, *self._by_bare_name], n=2)
            raise UnknownAdapter(name, self.ids, [each for each in like if self.meant_by(each)])
        return candidates[0]

    def look_up(self, asked: Stack) -> ResolvedStack:
        """A stack resolved; remembered, until too many are.

        Raises:
            UnknownAdapter, AmbiguousAdapter, ConfigError: As `AdaptedModel.plan`.
        """
        return self.remembered(asked) or self._resolved((asked, asked.any_order))

    def remembered(self, asked: Stack) -> ResolvedStack | None:
        """A stack that was looked up before, if nothing in it has changed since. Needs no lock."""
        return self._stacks.get((asked, asked.any_order))

    def _resolved(self, key: _Asked) -> ResolvedStack:
        asked = key[0]
        # Locked, so that no plan of layers that have just been replaced is kept.
        with self.lock:
            whole = resolved(asked, self.resolve, self._fusion_of)
            assert isinstance(whole, Stack)  # noqa: S101 - a stack resolves to a stack
            acting = tuple(dict.fromkeys((*whole.ids, *self._all_fused(whole.ids))))
            found = ResolvedStack(whole, self._row_plan(plan_of(whole, self._named)), self._head_on(whole), acting)
            if len(self._stacks) >= _MOST_PLANS:
                self.forget_all_plans()
            for name in {*asked.ids, *acting}:
                self._stacks_with.setdefault(name, set()).add(key)
            self._stacks[key] = found
            return found

    def _all_fused(self, ids: Iterable[str]) -> Iterator[str]:
        """What the fusions among these fuse, and the fusions among those."""
        for name in ids:
            parts = [self.resolve(part) for part in _fused_by(self._by_id[name])]
            yield from parts
            yield from self._all_fused(parts)

    def _row_plan(self, plan: Plan) -> RowPlan:
        return RowPlan(plan, self._same_input)

    def _named(self, name: str) -> AdapterLayers:
        return self._by_id[self.resolve(name)]

    def _head_on(self, stack: Stack) -> tuple[Head, HeadConfig] | None:
        """The head of the last adapter of a stack with whole ids."""
        top: Part | None = stack
        while isinstance(top, Stack):
            top = top.parts[-1] if top.parts else None
        layers = self._by_id[top] if isinstance(top, str) else None
        if layers is None or layers.head is None or layers.config.head is None:
            return None
        return layers.head, layers.config.head

    def _fusion_of(self, fuse: Fuse) -> str:
        """The id of the attached adapter that fuses these."""
        found = [name for name, layers in self._by_id.items() if set(_fused_by(layers)) == set(fuse.parts)]
        if len(found) > 1:
            raise AmbiguousAdapter(str(fuse), found)
        if not found:
            raise UnknownAdapter(str(fuse), self.ids)
        return found[0]

    def forget_all_plans(self) -> None:
        """Needed where the layers' tensors have moved: plans remember views of them."""
        with self.lock:
            self._stacks.clear()
            self._stacks_with.clear()

    def _forget_plans(self, *names: str) -> None:
        for name in names:
            for key in self._stacks_with.pop(name, ()):
                self._stacks.pop(key, None)


def _bare(adapter_id: str) -> str:
    return adapter_id.partition("/")[2]


def _module_name(adapter_id: str) -> str:
    """A module's name may hold no dot; no id holds a colon."""
    return adapter_id.replace(".", ":")


def _fused_by(layers: AdapterLayers) -> tuple[str, ...]:
    method = layers.config.method
    return method.fuses if isinstance(method, FusionConfig) else ()
