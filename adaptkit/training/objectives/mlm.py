"""Masked language modelling that projects only what it needs."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adaptkit.attaching import AdapterLayers
from adaptkit.backbones import Backbone, embedding_rows, widening_of, word_starts
from adaptkit.errors import ConfigError
from adaptkit.format.tensor_shapes import PROJECTION
from adaptkit.heads.batch import Batch
from adaptkit.layers import InvertibleLayer, PieceRows
from adaptkit.layers.pooling import Pool, mean_pool
from adaptkit.layers.types import MasterLinear
from adaptkit.model import AdaptedModel
from adaptkit.objectives import Mlm
from adaptkit.objectives.projection import ProjectionConfig, projection_to
from adaptkit.terminal.asking import as_typed
from adaptkit.training.data import TrainingData
from adaptkit.training.objectives.masking import Masking, MaskingRule
from adaptkit.training.objectives.objective_training import ObjectiveTraining
from adaptkit.training.objectives.softmax import VocabularySoftmax, softmax_vocabulary
from adaptkit.training.tokenized_text import TokenizedText

OptionsT = TypeVar("OptionsT", bound=Mlm)


class MaskedObjective(nn.Module):
    """Cross-entropy of masked tokens, projected at masked positions only.

    The projection is tied to the frozen input embedding through a small trained transform. `vocabulary` lists the
    token ids that the softmax runs over (the corpus vocabulary), ascending; None is the full one. Transform and
    projection are computed in `dtype`, norm and loss in float32.

    The first `n_opening` tokens of a sentence, the text prefix, are the same in all and are never masked.

    With `anchor_weight` the loss gains `anchor_weight * (1 - cosine(vector, target))`, where the target is the frozen
    backbone's vector of the unmasked sentence, made by `pool` as the other: it keeps the vectors of a
    sentence-embedding backbone in their place.

    Shape: embeddings (len(vocabulary), width), the rows of `vocabulary`, and widening (hidden_width, width) where they
    are narrower than the blocks; maskable and word_start (vocabulary_size), both bool.
    """

    def __init__(
        self,
        *,
        embeddings: Tensor,
        maskable: Tensor,
        word_start: Tensor,
        mask_id: int,
        rule: MaskingRule,
        vocabulary: Tensor | None = None,
        n_opening: int = 1,
        anchor_weight: float = 0.0,
        dtype: torch.dtype = torch.float32,
        invertible: InvertibleLayer | None = None,
        more: PieceRows | None = None,
        widening: Tensor | None = None,
        pool: Pool = mean_pool,
    ) -> None:
        super().__init__()
        self._pool = pool
        self.softmax = VocabularySoftmax(
            embeddings,
            vocabulary,
            n_ids=len(maskable),
            dtype=dtype,
            invertible=invertible,
            more=more,
            widening=widening,
        )
        self._masking = Masking(
            rule, self.softmax, maskable=maskable, word_start=word_start, mask_id=mask_id, n_opening=n_opening
        )
        self.blocks: tuple[int, ...] = ()
        self.anchor_weight = anchor_weight
        self._dtype = dtype
        wide = embeddings if widening is None else embeddings @ widening.T.to(embeddings)
        width = wide.shape[1]
        self.transform = MasterLinear(width, width)
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(len(self.softmax)))
        # Start from "the hidden state is the embedding", at the scale at which embeddings tell tokens apart.
        nn.init.eye_(self.transform.weight)
        nn.init.zeros_(self.transform.bias)
        nn.init.constant_(self.norm.weight, 1.0 / float(wide.float().std().clamp(min=1e-6)) / width**0.5)

    def prepare(self, batch: Batch) -> Batch:
        """Mask tokens; at least one in the batch."""
        return self._masking(batch)

    def forward(self, hidden: Tensor, batch: Batch) -> Tensor:
        """The mean loss over masked tokens, plus the anchor.

        Shape: hidden (batch, seq, hidden_width), result ().
        """
        return self.measures(hidden, batch)["loss"]

    def measures(self, hidden: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The loss, and the cross-entropy in it, whose exponential is the pseudo-perplexity."""
        token_loss = loss = self.token_loss(hidden, batch)
        if self.anchor_weight and batch.targets is not None:
            vectors = self._pool(hidden, batch.mask)
            loss = loss + self.anchor_weight * (1 - F.cosine_similarity(vectors, batch.targets, dim=-1)).mean()
        return {"loss": loss, "token_loss": token_loss}

    def token_loss(self, hidden: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy of the masked tokens.

        Shape: hidden (batch, seq, hidden_width), result ().
        """
        if batch.positions is None or batch.labels is None:
            raise ConfigError("the batch was not prepared: call objective.prepare(batch) first.")
        picked = hidden.reshape(-1, hidden.shape[-1])[batch.positions].to(self._dtype)
        vectors = self.norm(self.transform(picked).to(self.norm.weight.dtype))
        loss: Tensor = self.softmax(vectors, batch.labels, self.bias)
        return loss


class MaskedTraining(ObjectiveTraining[OptionsT]):
    """Sentences with the frozen backbone's vectors as anchors, and the masked objective on them."""

    def __init__(self, options: OptionsT, model: AdaptedModel, note: Callable[[str], None]) -> None:
        super().__init__(options, model, note)
        self.head_warmup = options.head_warmup
        self._trained: MaskedObjective | None = None

    def data(self, text: TokenizedText) -> TrainingData:
        """The sentences, each with its anchor where anchors weigh anything."""
        self.skip_warmup_of_unread(text)
        if text.reader is not None:
            self._unread(text.note)
        anchors = text.encode(text.tokens, "the sentences, as anchors,") if self.options.anchor else None
        return TrainingData(text.tokens, anchors, text.seed, mixture=text.mixture)

    def _unread(self, note: Callable[[str], None]) -> None:
        """What the frozen backbone cannot read has no vector there."""
        if self.options.anchor:
            note(f"no anchor holds sentences ({as_typed(anchor=0)}): the frozen backbone cannot read the new pieces")
        self.options = replace(self.options, anchor=0.0)

    def loss(self, layers: AdapterLayers, data: TrainingData, dtype: torch.dtype) -> nn.Module:
        """The masked objective.

        Raises:
            ConfigError: The full vocabulary of a backbone that holds a part of it.
        """
        return self.masked(layers, data, dtype)

    def masked(self, layers: AdapterLayers, data: TrainingData, dtype: torch.dtype) -> MaskedObjective:
        """The same, alone or as a part of another; raises as `loss`."""
        self._trained = masked_objective(
            self.model.backbone,
            layers,
            rule=MaskingRule(whole_words=self.options.whole_words),
            vocabulary=softmax_vocabulary(data, full=self.options.full_vocabulary),
            anchor_weight=self.options.anchor,
            dtype=dtype,
        )
        return self._trained

    def kept(self) -> tuple[ProjectionConfig, Mapping[str, Tensor]] | None:
        """The trained projection, where it is to be kept, as `adaptkit.layers.token_projection` has it."""
        if not self.options.keep_projection or self._trained is None:
            return None
        trained = self._trained
        tokens = None if self.options.full_vocabulary else trained.softmax.vocabulary.tolist()
        weights = {f"{PROJECTION}.{name}": weight.detach().cpu() for name, weight in trained.named_parameters()}
        return projection_to(tokens), weights


def masked_objective(
    backbone: Backbone,
    layers: AdapterLayers,
    *,
    rule: MaskingRule,
    vocabulary: Tensor | None,
    anchor_weight: float,
    dtype: torch.dtype,
) -> MaskedObjective:
    """The masked objective tied to a backbone's embeddings, undoing the adapter's invertible layer if it has one.

    Tokens are projected in `dtype`.

    Raises:
        ConfigError: The full vocabulary of a backbone that holds a part of it.
    """
    backbone.require_whole_vocabulary(vocabulary)
    n_ids, n_pieces = backbone.shape.vocabulary_size, len(backbone.tokenizer)
    brought = layers.config.pieces.pieces if layers.config.pieces is not None else ()
    if vocabulary is not None and int(vocabulary.max()) >= n_ids + len(brought):
        raise ConfigError(
            "masked tokens cannot be predicted among pieces of text that an adapter below brings: its rows are frozen "
            "and no part of the table. Train this adapter on text with translations."
        )
    kept = None if vocabulary is None else vocabulary[vocabulary < n_ids].long().to(backbone.device)
    maskable = torch.zeros(n_ids + len(brought), dtype=torch.bool)
    maskable[:n_pieces] = True
    maskable[n_ids:] = True
    maskable[list(backbone.tokenizer.all_special_ids)] = False
    starts = torch.ones(n_ids + len(brought), dtype=torch.bool)
    if brought:
        starts[n_ids:] = torch.tensor(word_starts(list(brought)))
    if rule.whole_words:
        starts[:n_pieces] = torch.tensor(
            word_starts(list(backbone.tokenizer.convert_ids_to_tokens(list(range(n_pieces)))))
        )
    return MaskedObjective(
        embeddings=embedding_rows(backbone.network, kept),
        maskable=maskable,
        word_start=starts,
        mask_id=backbone.special_id("mask"),
        rule=rule,
        n_opening=backbone.prefix_length,
        vocabulary=vocabulary,
        anchor_weight=anchor_weight,
        dtype=dtype,
        invertible=layers.invertible,
        more=layers.piece_rows,
        widening=widening_of(backbone.network),
        pool=backbone.sentences.pooled,
    ).to(backbone.device)
