"""The processes of a run: which one is the main one, what each computes, and what all of them agree on."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from accelerate import PartialState
from torch import Tensor, nn

from adaptkit.errors import ProcessFailed
from adaptkit.terminal.asking import as_typed

Value = TypeVar("Value")


class Processes:
    """All processes that train one adapter together, from the point of view of one of them.

    Each computes the backbone's states of its share of every batch, and all put the shares together: every process
    sees the whole batch's states, and takes the loss on them. So the loss, whatever it is a mean over, and the weights
    after a step are those of one process, but for rounding.

    Every method that exchanges something must be called by all processes, in the same order. What goes wrong in one of
    them inside `together` goes wrong in all.
    """

    def __init__(self, device: torch.device) -> None:
        state = PartialState(cpu=device.type == "cpu")
        self.index: int = state.process_index
        self.count: int = state.num_processes
        self._device = device

    @property
    def is_main(self) -> bool:
        """Whether this is the process that prints and writes."""
        return self.index == 0

    def share(self, n: int) -> slice:
        """Which of `n` things this process computes; they are spread as evenly as can be."""
        return slice(self._start(n, self.index), self._start(n, self.index + 1))

    def in_shares(self, states: Callable[..., Tensor], ids: Tensor, *others: Tensor) -> Tensor:
        """`states(ids, *others)`, each process computing a share of the rows.

        Gradients go back through this process's own share only, times the number of processes: `average` them.

        Shape: ids and others (rows, seq), results (rows, ...).
        """
        if self.count == 1:
            return states(ids, *others)
        mine = self.share(len(ids))
        n_mine = mine.stop - mine.start
        # With more processes than rows, one computes a row for nothing, so that its weights have gradients too.
        computed = mine if n_mine else slice(1)
        part = states(ids[computed], *(other[computed] for other in others))[:n_mine]
        whole: Tensor = _Gathered.apply(part, self, len(ids))  # type: ignore[no-untyped-call]  # torch's own
        return whole

    def average(self, weights: Iterable[nn.Parameter]) -> None:
        """Put the mean over processes in the place of each gradient."""
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        if self.count == 1 or not gradients:
            return
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        with _peers():
            dist.all_reduce(flat)
        flat /= self.count
        for gradient, mean in zip(gradients, torch.split(flat, [it.numel() for it in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))

    def sum_rows(self, rows: Tensor, *, at_once: int = 2**14) -> None:
        """Put the sum over processes in the place of each number; some rows at a time, which lie on any device.

        Shape: rows (n, width).
        """
        if self.count == 1:
            return
        for piece in torch.split(rows, at_once):
            there = piece.to(self._device)
            with _peers():
                dist.all_reduce(there)
            piece.copy_(there)

    def any(self, *flags: bool) -> tuple[bool, ...]:
        """Which of these hold in at least one process."""
        if self.count == 1:
            return flags
        told = torch.tensor([int(flag) for flag in flags], device=self._device)
        with _peers():
            dist.all_reduce(told, op=dist.ReduceOp.MAX)
        return tuple(bool(flag) for flag in told.tolist())

    def from_main(self, value: Value) -> Value:
        """What the main process has here."""
        if self.count == 1:
            return value
        values = [value]
        with _peers():
            dist.broadcast_object_list(values, src=0, device=self._device)
        return values[0]

    def of_each(self, value: Value) -> list[Value]:
        """What each process has here, in their order."""
        if self.count == 1:
            return [value]
        values: list[Any] = [None] * self.count
        with _peers():
            dist.all_gather_object(values, value)
        return values

    def meet(self) -> None:
        """Wait for the others; asked inside `together`, before anything else is exchanged.

        Raises:
            ProcessFailed: One of them does not come, because something went wrong in it.
        """
        self._told(None)

    def require_same(self, facts: Mapping[str, str]) -> None:
        """See that these are the same in all processes, which may read different disks; waits for them as `meet` does.

        Raises:
            ProcessFailed: They are not, or one of them does not come, because something went wrong in it.
        """
        self.meet()
        main, *others = self.of_each(facts)
        for index, theirs in enumerate(others, start=1):
            for name, value in main.items():
                if theirs[name] != value:
                    reason = f"it would train something else: {name} is {theirs[name]}, and {value} for the main one."
                    raise ProcessFailed(
                        index,
                        self.count,
                        f"{reason} Give all of them the same arguments, files and backbone, "
                        f"and on machines that are not alike name the precision ({as_typed(precision='fp32')} or "
                        "'bf16').",
                    )

    @contextmanager
    def together(self) -> Iterator[None]:
        """All do what stands here, and wait for each other at its end; or it fails in all of them.

        One may stand in another: what failed in the inner one is told there, and not once more.

        Raises:
            ProcessFailed: In another process. Where it is the main one that failed, it alone has its error.
        """
        try:
            yield
        except Exception as error:
            if not _is_known(error):
                self._told(error)
            raise
        self._told(None)

    def end(self) -> None:
        """Part from the others, when there is nothing more to do."""
        if self.count > 1:
            PartialState().destroy_process_group()

    def _told(self, failure: Exception | None) -> None:
        if self.count == 1:
            return
        failures = self.of_each(None if failure is None else f"{type(failure).__name__}: {failure}")
        if failure is not None and self.is_main:
            setattr(failure, _KNOWN, True)
            return
        for index, message in enumerate(failures):
            if message is not None:
                raise ProcessFailed(index, self.count, message) from failure

    def _start(self, n: int, index: int) -> int:
        return n * index // self.count


class _Gathered(torch.autograd.Function):
    """The shares of all processes as one tensor, in their order.

    All processes compute the same from it, so that what comes back is the same everywhere and need not be exchanged.
    """

    @staticmethod
    def forward(ctx: Any, part: Tensor, processes: Processes, n: int) -> Tensor:  # noqa: ANN401 - torch's own
        ctx.processes, ctx.n = processes, n
        counts = [processes._start(n, i + 1) - processes._start(n, i) for i in range(processes.count)]
        filled = part.new_zeros((max(counts), *part.shape[1:]))
        filled[: len(part)] = part
        # As bytes: not every backend knows every type.
        sent = filled.view(torch.uint8)
        found = [torch.empty_like(sent) for _ in counts]
        with _peers():
            dist.all_gather(found, sent)
        return torch.cat([it.view(part.dtype)[:count] for it, count in zip(found, counts, strict=True)])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN401 - torch's own
        return gradient[ctx.processes.share(ctx.n)] * ctx.processes.count, None, None


_KNOWN = "_adaptkit_known_to_all_processes"


def _is_known(error: BaseException | None) -> bool:
    """Whether all processes know of this error, or of one that it was raised in the place of."""
    while error is not None:
        if isinstance(error, ProcessFailed) or hasattr(error, _KNOWN):
            return True
        error = error.__context__
    return False


@contextmanager
def _peers() -> Iterator[None]:
    """What torch says when another process is gone, in one error of ours."""
    try:
        yield
    except RuntimeError as error:
        raise ProcessFailed(None, dist.get_world_size(), str(error).partition("\n")[0]) from error
