"""Forward hooks on a backbone, and the active plan that tells them which layers act."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from threading import Lock, get_ident

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from torch.utils.hooks import RemovableHandle

from adaptkit.attaching.plan import BARE, Plan, run, site_input_of
from adaptkit.layers.dropout import current_share, share_of
from adaptkit.layers.text_read import reading, text_read

# One variable for all backbones, as context variables must live as long as the process. Every thread begins with an
# empty context, so a stack activated in one thread is never seen in another.
_PLANS: ContextVar[Mapping["SiteHooks", Plan]] = ContextVar("adaptkit_plans", default={})  # noqa: B039


class SiteHooks:
    """The hooks on one backbone. Modules, weights and state dict of the backbone stay as they are."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._handles: dict[str, RemovableHandle] = {}
        self._users: Counter[str] = Counter()
        self._n_in_force = 0
        self._lock = Lock()

    def add(self, modules: Iterable[str]) -> None:
        """Hook these modules for one more adapter."""
        with self._lock:
            paths = list(modules)
            self._users.update(paths)
            self._hook(paths)

    def remove(self, modules: Iterable[str]) -> None:
        """Unhook those of these modules that no other adapter needs, when no plan is active any more."""
        with self._lock:
            self._users.subtract(modules)
            self._unhook_unused()

    def _hook(self, paths: Iterable[str]) -> None:
        for path in paths:
            if path not in self._handles:
                hook = partial(self._apply, path)
                self._handles[path] = self._network.get_submodule(path).register_forward_hook(hook)

    def _unhook_unused(self) -> None:
        # A pass that has begun in another thread may still need a hook whose adapter has just been detached.
        if not self._n_in_force:
            for path in [path for path in self._handles if self._users[path] <= 0]:
                self._handles.pop(path).remove()
                del self._users[path]

    @property
    def plan(self) -> Plan:
        """The active plan in this thread; empty when the backbone runs bare."""
        return _PLANS.get().get(self, BARE)

    @contextmanager
    def in_force(self, plan: Plan) -> Iterator[None]:
        """Let `plan` act on forward passes of this thread, and restore what was active before.

        It acts whole, even where its adapters have been detached since it was made.
        """
        token = _PLANS.set({**_PLANS.get(), self: plan})
        with self._lock:
            self._n_in_force += 1
            if not plan.keys() <= self._handles.keys():
                self._hook(plan)
        try:
            yield
        finally:
            _PLANS.reset(token)
            with self._lock:
                self._n_in_force -= 1
                self._unhook_unused()

    def checkpoint(self, function: Callable[..., object], *args: object) -> object:
        """Gradient checkpointing whose recomputation sees the plan and the text of the first run, and its share.

        Recomputation happens during backward: after the context has closed, and on CUDA in another thread.
        """
        plan, share, text = self.plan, current_share(), text_read()

        def with_plan(*again: object) -> object:
            with self.in_force(plan), share_of(share), reading(text):
                return function(*again)

        return checkpoint(with_plan, *args, use_reentrant=False)

    # Compiled, a backbone would be compiled anew for layers that it has not met.
    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def _apply(self, path: str, module: nn.Module, args: tuple[object, ...], output: Tensor) -> Tensor:
        # Its forward, as calling it would run this hook again.
        site_input = site_input_of(module, args, output, module.forward)
        return run(self.plan.get(path, ()), site_input, output)


@contextmanager
def outputs_of(modules: Sequence[nn.Module]) -> Iterator[dict[nn.Module, Tensor]]:
    """What the modules give in this thread while the context is open, in the order of their first calls.

    Of a module that is called several times, as a block that layers share, it is what it gave last. transformers'
    `output_hidden_states` would do, but leaves hooks of its own on the network for good.
    """
    thread = get_ident()
    outputs: dict[nn.Module, Tensor] = {}

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # it cannot be traced, and says so on every compilation
    def note(module: nn.Module, _args: object, output: Tensor | tuple[Tensor, ...]) -> None:
        if get_ident() == thread:
            outputs[module] = output[0] if isinstance(output, tuple) else output

    handles = [module.register_forward_hook(note) for module in modules]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()
