"""Masks of texts, filled."""

from collections.abc import Sequence
from typing import overload

from adaptkit.model.abilities.compositions import Compositions
from adaptkit.model.filling import BACKBONE, FilledMask, Filling
from adaptkit.model.stacks import StackLike


class Masks(Compositions):
    """A model fills masks, by a projection that an adapter has kept or by the backbone's own head."""

    @overload
    def fill_mask(  # type: ignore[overload-overlap]  # one string is a sequence of strings too
        self,
        texts: str,
        *,
        stack: StackLike = ...,
        stacks: Sequence[StackLike] | None = ...,
        top: int = ...,
        by: StackLike = ...,
        batch_size: int = ...,
    ) -> tuple[FilledMask, ...]: ...
    @overload
    def fill_mask(
        self,
        texts: Sequence[str],
        *,
        stack: StackLike = ...,
        stacks: Sequence[StackLike] | None = ...,
        top: int = ...,
        by: StackLike = ...,
        batch_size: int = ...,
    ) -> list[tuple[FilledMask, ...]]: ...
    def fill_mask(
        self,
        texts: str | Sequence[str],
        *,
        stack: StackLike = None,
        stacks: Sequence[StackLike] | None = None,
        top: int = 5,
        by: StackLike = None,
        batch_size: int = 32,
    ) -> tuple[FilledMask, ...] | list[tuple[FilledMask, ...]]:
        """The `top` most probable tokens at each mask of each text, with probabilities, under `stack` or `stacks`.

        Of one string, its masks alone.

        A mask is written as the tokenizer has it, or `<mask>` or `[MASK]`. Tokens are told apart by the projection that
        the uppermost adapter of a text's stack has kept (`Mlm(keep_projection=True)`), else by the head of the
        backbone's own checkpoint; `by` names another attached adapter for it, or `"backbone"`. Probabilities are over
        all tokens that the projection knows; special tokens are not named.

        Raises:
            ConfigError: A text without a mask, nothing that tells tokens apart, no encoder, or another wrong option.
            UnknownAdapter: A stack names an adapter that is not attached.
            OutOfMemory: The memory does not hold a batch.
        """
        listed = [texts] if isinstance(texts, str) else texts
        each = self._stacks.for_each(len(listed), stack, stacks)
        named = BACKBONE if by == BACKBONE else None if by is None else self.pinned(by)
        filled = Filling(self._passes, self._notices, named).fill(listed, each, top=top, batch_size=batch_size)
        return filled[0] if isinstance(texts, str) else filled
