"""What gives the next logits of a batch whose rows end one after the other.

`NextLogits` is the seam between a network and the loop of `generator.written`: the loop knows tokens, texts and why
they end; who implements this knows the network, its cache and the stacks. `DecoderSteps` is that of decoders.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor
from transformers import DynamicCache

from adaptkit.attaching import RowGroups, plan_of_rows
from adaptkit.backbones.output_projection import OutputProjection
from adaptkit.model.passes import Passes
from adaptkit.model.stacks import ResolvedStack


class NextLogits(Protocol):
    """The next logits of each row of a batch, for the tokens that were chosen for it so far.

    `first` is called once, then `after` for each token; before that, `keep` where rows have ended.
    """

    def first(self) -> Tensor:
        """Logits of the first new token. Shape: (rows, vocabulary_size), float32."""

    def after(self, tokens: Sequence[int]) -> Tensor:
        """Logits behind one more token of each row. Shape: (rows, vocabulary_size), float32."""

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows only, in this order; they are counted anew from 0."""


class DecoderSteps:
    """A decoder with a cache of keys and values, each row under a plan of its own.

    Prompts are padded on their left, so that the last token of all rows is in one column. Rows lie in the cache in the
    order in which those of one stack are side by side.
    """

    def __init__(
        self,
        passes: Passes,
        projection: OutputProjection,
        prompts: Sequence[Sequence[int]],
        stacks: Sequence[ResolvedStack],
    ) -> None:
        self._passes, self._projection = passes, projection
        self._device = passes.backbone.device
        self._prompts = prompts
        self._longest = max(map(len, prompts))
        self._n_new = 0
        self._cache = DynamicCache(config=passes.backbone.network.config)
        self._stacks = list(stacks)
        self._lengths = [len(prompt) for prompt in prompts]
        self._arrange()

    def first(self) -> Tensor:
        """Logits behind the prompts. Shape: (rows, vocabulary_size)."""
        padded = torch.zeros((len(self._prompts), self._longest), dtype=torch.long)
        for row, prompt in enumerate(self._prompts):
            # Masked, so that any id would do on the left.
            padded[row, self._longest - len(prompt) :] = torch.as_tensor(prompt, dtype=torch.long)
        return self._logits(padded)

    def after(self, tokens: Sequence[int]) -> Tensor:
        """Logits behind one more token of each row. Shape: (rows, vocabulary_size)."""
        self._n_new += 1
        return self._logits(torch.tensor(tokens)[:, None])

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows only."""
        lies_at = {row: place for place, row in enumerate(self._groups.order)}
        self._stacks = [self._stacks[row] for row in rows]
        self._lengths = [self._lengths[row] for row in rows]
        self._arrange()
        kept = [lies_at[rows[row]] for row in self._groups.order]
        self._cache.batch_select_indices(torch.tensor(kept, device=self._device))

    def _arrange(self) -> None:
        """Put rows of one stack side by side, and gather the layers that act on them."""
        self._groups = RowGroups.of([stack.plan for stack in self._stacks])
        self._plan = plan_of_rows(self._groups)
        self._undo = _undoing([self._stacks[row] for row in self._groups.order])
        lengths = [self._lengths[row] for row in self._groups.order]
        self._padding: Tensor | None = None
        if any(length != self._longest for length in lengths):
            self._padding = torch.tensor([self._longest - length for length in lengths], device=self._device)[:, None]

    def _logits(self, ids: Tensor) -> Tensor:
        """Shape: ids (rows, seq), result (rows, vocabulary_size)."""
        ids = self._groups.sorted(ids.to(self._device))
        mask, positions = self._places(ids.shape[1])
        states = self._passes.states_after(self._cache, ids, self._plan, mask=mask, positions=positions)[:, -1]
        for undo, rows in self._undo:
            states[rows] = undo(states[rows])
        return self._groups.restored(self._projection(states))

    def _places(self, n_read: int) -> tuple[Tensor | None, Tensor | None]:
        """What is text, and where what is read stands; None and None where no row is padded.

        Shape: (rows, all tokens) and (rows, n_read).
        """
        if self._padding is None:
            return None, None
        columns = torch.arange(self._longest + self._n_new, device=self._device)
        mask = (columns >= self._padding).long()
        return mask, (columns[-n_read:] - self._padding).clamp(min=0)


def _undoing(stacks: Sequence[ResolvedStack]) -> list[tuple[Callable[[Tensor], Tensor], list[int]]]:
    """The functions that undo invertible layers, each with the rows that it is for."""
    found: dict[ResolvedStack, list[int]] = {}
    for row, stack in enumerate(stacks):
        if stack.undo is not None:
            found.setdefault(stack, []).append(row)
    return [(stack.undo, rows) for stack, rows in found.items() if stack.undo is not None]
