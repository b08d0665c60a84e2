"""Which tokens of a batch are masked, and how."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from adaptkit.errors import ConfigError
from adaptkit.heads.batch import Batch, in_few_shapes
from adaptkit.training.objectives.softmax import VocabularySoftmax


@dataclass(frozen=True, kw_only=True)
class MaskingRule:
    """Which tokens are masked, and how (Devlin et al. 2019, arXiv:1810.04805): 80 % mask, 10 % random, 10 % kept.

    `whole_words` masks all pieces of a word together.
    """

    share: float = 0.15
    whole_words: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ConfigError(f"the share of masked tokens must lie between 0 and 1, found {self.share}.")


class Masking:
    """Masks tokens by a rule, among those that the softmax tells apart. All of it is done on the CPU.

    The first `n_opening` tokens of a sentence, the text prefix, are the same in all and are never masked.

    Shape: maskable and word_start (vocabulary_size), both bool.

    Raises:
        ConfigError: No token of the softmax's vocabulary can be masked.
    """

    def __init__(
        self,
        rule: MaskingRule,
        softmax: VocabularySoftmax,
        *,
        maskable: Tensor,
        word_start: Tensor,
        mask_id: int,
        n_opening: int,
    ) -> None:
        kept = softmax.vocabulary
        if not bool(maskable[kept].any()):
            raise ConfigError("none of the corpus vocabulary can be masked; the text is special tokens only.")
        self._rule, self._mask_id, self._n_opening = rule, mask_id, n_opening
        self._places = softmax.places
        self._maskable = maskable & (softmax.places(torch.arange(len(maskable))) >= 0)
        self._word_start = word_start
        self._replacements = kept[maskable[kept]]

    def __call__(self, batch: Batch) -> Batch:
        """Mask tokens; at least one in the batch."""
        candidates = self._maskable[batch.ids] & batch.mask.bool()
        candidates[:, : self._n_opening] = False
        chosen = self._choose_words(batch.ids, candidates) if self._rule.whole_words else self._choose(candidates)
        if not bool(chosen.any()):
            chosen = candidates
        fate = torch.rand(batch.ids.shape)
        drawn = self._replacements[torch.randint(len(self._replacements), batch.ids.shape)]
        ids = torch.where(chosen & (fate < 0.8), self._mask_id, batch.ids)
        ids = torch.where(chosen & (fate >= 0.9), drawn, ids)
        positions = chosen.reshape(-1).nonzero().squeeze(1)
        positions, labels = in_few_shapes(positions, self._places(batch.ids.reshape(-1)[positions]))
        return replace(batch, ids=ids, positions=positions, labels=labels)

    def _choose(self, candidates: Tensor) -> Tensor:
        return candidates & (torch.rand(candidates.shape) < self._rule.share)

    def _choose_words(self, ids: Tensor, candidates: Tensor) -> Tensor:
        starts = self._word_start[ids] | ~candidates
        word = starts.long().cumsum(dim=1)
        dice = torch.rand((ids.shape[0], ids.shape[1] + 1)) < self._rule.share
        return candidates & dice.gather(1, word)
