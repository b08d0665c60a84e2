"""The masked objective of a backbone and the adapter that trains on it."""

import torch
from torch import Tensor

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.backbones import Backbone, embedding_rows
from adaptkit.training.objectives import MaskedObjective, MaskingRule


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
    kept = None if vocabulary is None else vocabulary.long().to(backbone.device)
    maskable = torch.zeros(n_ids, dtype=torch.bool)
    maskable[:n_pieces] = True
    maskable[list(backbone.tokenizer.all_special_ids)] = False
    starts = torch.ones(n_ids, dtype=torch.bool)
    if rule.whole_words:
        starts[:n_pieces] = torch.tensor(
            _word_starts(list(backbone.tokenizer.convert_ids_to_tokens(list(range(n_pieces)))))
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
        pool=backbone.sentences.pooled,
    ).to(backbone.device)


def _word_starts(pieces: list[str]) -> list[bool]:
    """Which pieces begin a word, by the marks of SentencePiece, byte-level BPE and WordPiece."""
    if any(piece.startswith("##") for piece in pieces):
        return [not piece.startswith("##") for piece in pieces]
    return [piece.startswith(("\u2581", "\u0120")) for piece in pieces]
