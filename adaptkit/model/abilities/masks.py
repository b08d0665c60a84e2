"""Masks of texts, filled."""

from collections.abc import Sequence

from adaptkit.model.abilities.compositions import Compositions
from adaptkit.model.filling import BACKBONE, FilledMask, Filling
from adaptkit.model.stacks import StackLike


class Masks(Compositions):
    """A model fills masks, by a projection that an adapter has kept or by the backbone's own head."""

    def fill_mask(
        self,
        texts: Sequence[str],
        *,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        top: int = 5,
        by: StackLike = None,
        batch_size: int = 32,
    ) -> list[tuple[FilledMask, ...]]:
        """The `top` most probable tokens at each mask of each text, with probabilities, under `stack` or `stacks`.

        A mask is written as the tokenizer has it, or `<mask>` or `[MASK]`. Tokens are told apart by the projection that
        the uppermost adapter of a text's stack has kept (`Mlm(keep_projection=True)`), else by the head of the
        backbone's own checkpoint; `by` names another attached adapter for it, or `"backbone"`. Probabilities are over
        all tokens that the projection knows; special tokens are not named.

        Raises:
            ConfigError: A text without a mask, nothing that tells tokens apart, no encoder, or another wrong option.
            UnknownAdapter: A stack names an adapter that is not attached.
            OutOfMemory: The memory does not hold a batch.
        """
        each = self._stacks.for_each(len(texts), stack, stacks)
        named = BACKBONE if by == BACKBONE else None if by is None else self.pinned(by)
        return Filling(self._passes, self._notices, named).fill(texts, each, top=top, batch_size=batch_size)
