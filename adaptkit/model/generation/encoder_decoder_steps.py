"""The next logits of an encoder-decoder, whose encoder reads the source once."""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import DynamicCache, EncoderDecoderCache

from adaptkit.attaching import RowGroups, plan_of_rows
from adaptkit.backbones.output_projection import OutputProjection
from adaptkit.model.passes import Passes
from adaptkit.model.stacks import ResolvedStack


class EncoderDecoderSteps:
    """As `DecoderSteps`, each row under a plan of its own, which acts on both sides.

    What the decoder begins with, `openings`, is equally long in all rows.
    """

    def __init__(
        self,
        passes: Passes,
        projection: OutputProjection,
        sources: Sequence[Sequence[int]],
        openings: Sequence[Sequence[int]],
        stacks: Sequence[ResolvedStack],
    ) -> None:
        self._passes, self._projection = passes, projection
        self._device = passes.backbone.device
        self._openings = openings
        self._stacks = list(stacks)
        # Without the config, which counts the encoder's blocks.
        self._cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
        self._arrange()
        ids, mask = passes.backbone.pad(sources)
        self._mask = self._groups.sorted(mask)
        self._encoded = passes.states_under(self._groups.sorted(ids), self._mask, self._plan)

    def first(self) -> Tensor:
        """Logits behind what the decoder begins with. Shape: (rows, vocabulary_size)."""
        return self._logits(torch.tensor(self._openings))

    def after(self, tokens: Sequence[int]) -> Tensor:
        """Logits behind one more token of each row. Shape: (rows, vocabulary_size)."""
        return self._logits(torch.tensor(tokens)[:, None])

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows only; one may come several times."""
        lies_at = {row: place for place, row in enumerate(self._groups.order)}
        self._stacks = [self._stacks[row] for row in rows]
        self._arrange()
        kept = torch.tensor([lies_at[rows[row]] for row in self._groups.order], device=self._device)
        self._cache.batch_select_indices(kept)
        self._mask, self._encoded = self._mask[kept], self._encoded[kept]

    def _arrange(self) -> None:
        self._groups = RowGroups.of([stack.plan for stack in self._stacks])
        self._plan = plan_of_rows(self._groups)

    def _logits(self, ids: Tensor) -> Tensor:
        """Shape: ids (rows, seq), result (rows, vocabulary_size)."""
        ids = self._groups.sorted(ids.to(self._device))
        states = self._passes.decoded_after(self._cache, ids, self._encoded, self._mask, self._plan)[:, -1]
        return self._groups.restored(self._projection(states))
