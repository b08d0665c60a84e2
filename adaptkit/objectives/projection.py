"""The projection to tokens that an adapter keeps from its training, so that masks can be filled under it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from adaptkit.config import MAX_VOCABULARY
from adaptkit.errors import ConfigError


@dataclass(frozen=True, kw_only=True, repr=False)
class ProjectionConfig:
    """Which tokens a kept projection tells apart: their ids, ascending; None: all that the text is read by.

    It is `norm(transform(state))`, compared with the embedding row of each token, plus a number of each token's own.

    Raises:
        ConfigError: No tokens, or ids that are not ascending or cannot be.
    """

    tokens: tuple[int, ...] | None

    def __post_init__(self) -> None:
        if self.tokens is None:
            return
        ascending = all(low < high for low, high in zip(self.tokens, self.tokens[1:], strict=False))
        if not self.tokens or not ascending or not 0 <= self.tokens[0] <= self.tokens[-1] < MAX_VOCABULARY:
            raise ConfigError(
                f"the tokens of a kept projection are ascending ids from 0 to {MAX_VOCABULARY:,}, at least one; found "
                f"{len(self.tokens):,}, the first {list(self.tokens[:4])}."
            )

    def __repr__(self) -> str:
        return f"<projection to {'all' if self.tokens is None else format(len(self.tokens), ',')} tokens>"

    def __hash__(self) -> int:
        return hash(self.sha256)

    @cached_property
    def sha256(self) -> str:
        """Identity of the tokens."""
        return hashlib.sha256(json.dumps(self.tokens).encode()).hexdigest()

    def n_tokens(self, n_ids: int) -> int:
        """How many tokens it tells apart of a text that is read by so many ids."""
        return n_ids if self.tokens is None else len(self.tokens)

    def tensors(self, hidden_width: int, n_ids: int) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor by name, on a backbone of this width whose text is read by so many ids."""
        return {
            "transform.weight": (hidden_width, hidden_width),
            "transform.bias": (hidden_width,),
            "norm.weight": (hidden_width,),
            "norm.bias": (hidden_width,),
            "bias": (self.n_tokens(n_ids),),
        }


def projection_to(tokens: Sequence[int] | None) -> ProjectionConfig:
    """The projection to these tokens, ascending."""
    return ProjectionConfig(tokens=None if tokens is None else tuple(int(token) for token in tokens))
