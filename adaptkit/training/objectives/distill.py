"""Distillation from parallel text: a text is pulled towards the frozen backbone's vector of its translation."""

from collections.abc import Callable
from dataclasses import replace
from typing import Self, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adaptkit.attaching import AdapterLayers
from adaptkit.errors import ConfigError
from adaptkit.heads.batch import Batch
from adaptkit.layers.pooling import Pool, mean_pool, pool_texts
from adaptkit.model import AdaptedModel
from adaptkit.objectives import Distill
from adaptkit.terminal.asking import as_typed
from adaptkit.training.data import TrainingData
from adaptkit.training.objectives.batch_terms import BatchTerms
from adaptkit.training.objectives.distilled_rows import distilled_rows
from adaptkit.training.objectives.objective_training import ObjectiveTraining
from adaptkit.training.objectives.thinned_anchors import thinned
from adaptkit.training.tokenized_text import TokenizedText

OptionsT = TypeVar("OptionsT", bound=Distill)
_NO_TERMS = BatchTerms()


def depths_of(n_blocks: int) -> tuple[int, ...]:
    """The blocks at one third and two thirds of the depth, and the last one."""
    return tuple(sorted({max(0, round(n_blocks * third / 3) - 1) for third in (1, 2, 3)}))


class DistillObjective(nn.Module):
    """Seen from the centre of all targets, a sentence shall lie in the direction of its target and as far out.

    With `v` and `t` the sentence's vector and its target minus the centre, the loss is
    `1 - cosine(v, t) + distance_weight * (|v| - |t|)^2 / mean(|t|^2)`, summed over the `blocks` whose states are read:
    the last with weight 1, those before it with `inner_weight` (docs/decisions/0007-distillation-at-several-depths.md).

    No teacher beyond the backbone itself is needed (after Reimers and Gurevych 2020, arXiv:2004.09813, who minimise the
    squared error of the last vector). A squared error draws every sentence that is not well understood towards the
    centre of the training text; a head trained on the frozen backbone then takes any text for the training text's
    favourite topic. Keeping the distance avoids that (docs/decisions/0004-distance-from-the-centre.md).

    `terms` say what the vectors of a batch, those after the last block, shall be to each other besides.

    A row may hold two texts, each pulled towards what its translation is beside the other's. Rows with an anchor pay
    for every token that leaves the place where the frozen backbone has it: how far it moved, squared, over the
    mean squared distance of the tokens from the centre (docs/decisions/0010-pairs-and-token-anchors.md).

    Shape: centre (n_depths, hidden_width), variance (n_depths), the mean squared distance of the targets from it.

    Raises:
        ConfigError: A weight below 0, or a variance that is not positive.
    """

    def __init__(
        self,
        *,
        centre: Tensor,
        variance: Tensor,
        blocks: tuple[int, ...] = (),
        inner_weight: float = 0.5,
        distance_weight: float = 0.5,
        anchor_share: float = 1.0,
        terms: BatchTerms = _NO_TERMS,
        pool: Pool = mean_pool,
    ) -> None:
        super().__init__()
        self._pool = pool
        if not (distance_weight >= 0 and inner_weight >= 0 and bool((variance > 0).all())):
            raise ConfigError(
                "the targets' variance must be positive and the weights not negative, "
                f"found {variance.tolist()}, distance_weight {distance_weight} and inner_weight {inner_weight}."
            )
        self.blocks = blocks
        self.distance_weight = distance_weight
        self.anchor_share = anchor_share
        self.terms = terms
        weights = variance.new_full(variance.shape, inner_weight)
        weights[-1] = 1.0
        self.register_buffer("centre", centre, persistent=False)
        self.register_buffer("variance", variance, persistent=False)
        self.register_buffer("weights", weights, persistent=False)

    @classmethod
    def for_targets(
        cls,
        targets: Tensor,
        *,
        blocks: tuple[int, ...] = (),
        inner_weight: float = 0.5,
        anchor_share: float = 1.0,
        terms: BatchTerms = _NO_TERMS,
        pool: Pool = mean_pool,
    ) -> Self:
        """The objective for these targets, which `pool` made of the frozen backbone's states.

        Shape: targets (n, n_depths * hidden_width), in the order of `blocks`.

        Raises:
            ConfigError: All targets are the same vector.
        """
        by_depth = targets.reshape(len(targets), max(1, len(blocks)), -1)
        centre = by_depth.mean(dim=0)
        variance = by_depth.var(dim=0, correction=0).sum(dim=-1)
        return cls(
            centre=centre,
            variance=variance,
            blocks=blocks,
            inner_weight=inner_weight,
            anchor_share=anchor_share,
            terms=terms,
            pool=pool,
        )

    def prepare(self, batch: Batch) -> Batch:
        """The backbone reads the sentence as it is. Training draws a share of the anchors; measures are of all."""
        if batch.anchors is None or self.anchor_share == 1 or not self.training:
            return batch
        return replace(batch, anchors=thinned(batch.anchors, self.anchor_share))

    def forward(self, hidden: Tensor, batch: Batch) -> Tensor:
        """The mean loss over texts, and that of the anchors over rows.

        Shape: hidden (batch, seq, n_depths * hidden_width), result ().
        """
        if batch.targets is None:
            raise ConfigError("distillation needs target vectors in the batch.")
        centre = self.get_buffer("centre")
        vectors = self._vectors(hidden, batch).reshape(-1, *centre.shape) - centre
        targets = batch.targets.reshape(-1, *centre.shape) - centre
        direction = 1 - F.cosine_similarity(vectors, targets, dim=-1)
        distance = (vectors.norm(dim=-1) - targets.norm(dim=-1)).pow(2) / self.get_buffer("variance")
        by_depth = direction + self.distance_weight * distance
        loss: Tensor = (by_depth * self.get_buffer("weights")).sum(dim=-1).mean()
        loss = loss + self.terms.lost(vectors[:, -1], targets[:, -1])
        held = batch.anchored
        return loss if held is None else loss + self._strayed(hidden[held], batch, held)

    def _vectors(self, hidden: Tensor, batch: Batch) -> Tensor:
        return pool_texts(hidden, batch.mask, batch.first_lengths, self._pool, paired=batch.paired)

    def _strayed(self, hidden: Tensor, batch: Batch, held: Tensor | slice) -> Tensor:
        """How far tokens of the rows that are `held` are from where the frozen backbone has them. Shape: ()."""
        if batch.frozen is None or batch.anchors is None:
            raise ConfigError("anchors need the frozen backbone's states in the batch.")
        centre = self.get_buffer("centre")
        real = batch.mask[held].float()[..., None]
        by_depth = (*real.shape[:2], *centre.shape)
        there = batch.frozen.float().reshape(by_depth)
        way = (hidden.float().reshape(by_depth) - there).pow(2).sum(dim=-1) * real
        spread = ((there - centre).pow(2).sum(dim=-1) * real).sum(dim=(0, 1)) / real.sum()
        if batch.anchored_tokens is not None:
            way = way * batch.anchored_tokens[held][..., None]
        # Over all tokens: one that is anchored is held as much, whether the others are or not.
        by_row = (way / spread * self.get_buffer("weights")).sum(dim=(1, 2)) / real.sum(dim=(1, 2))
        strayed: Tensor = (by_row * batch.anchors[held]).sum() / len(batch.ids)
        return strayed

    def measures(self, hidden: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The loss."""
        return {"loss": self(hidden, batch)}


class DistillTraining(ObjectiveTraining[OptionsT]):
    """Sentences, pairs of them and translations, each with the vectors that it is pulled towards."""

    def __init__(self, options: OptionsT, model: AdaptedModel, note: Callable[[str], None]) -> None:
        super().__init__(options, model, note)
        if options.pair_share and model.sentences.is_of_one_token:
            # The second text of a row has no such token.
            note(
                f"no pairs of sentences train ({as_typed(pair_share=0)}): {model.backbone.name} has one vector a row, "
                f"by {model.sentences}"
            )
            self.options = replace(options, pair_share=0.0)

    def data(self, text: TokenizedText) -> TrainingData:
        """The rows, and their targets."""
        return distilled_rows(text, self.options, self.model.backbone, depths=self._depths)

    def loss(self, layers: AdapterLayers, data: TrainingData, dtype: torch.dtype) -> nn.Module:
        """The objective for the targets of the sentences themselves."""
        return self.distilled(data)

    def distilled(self, data: TrainingData) -> DistillObjective:
        """The same, which needs nothing of the adapter."""
        if data.targets is None:
            raise ConfigError("distillation without targets")
        made = DistillObjective.for_targets(
            data.targets[: data.n_measured],
            blocks=self._depths,
            inner_weight=self.options.inner_weight,
            anchor_share=self.options.anchor_share,
            terms=_terms(self.options),
            pool=self.model.sentences.pooled,
        )
        return made.to(self.model.backbone.device)

    @property
    def _depths(self) -> tuple[int, ...]:
        """The blocks at which a sentence is pulled towards its translation."""
        return depths_of(self.model.backbone.shape.n_blocks) if self.options.inner_weight else ()


def _terms(options: Distill) -> BatchTerms:
    return BatchTerms(
        relation_weight=options.relation_weight,
        relation=options.relation,
        contrast_weight=options.contrast_weight,
        temperature=options.similarity_temperature,
    )
