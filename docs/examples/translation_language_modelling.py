"""Translation language modelling: a sentence and its translation in one row, tokens of both masked.

A masked word can be read off the translation, so that the two languages learn to be alike (Lample and Conneau 2019,
arXiv:1901.07291). There, positions start again at the translation and languages have embeddings of their own; the
backbones here have neither.
"""

from dataclasses import dataclass

import torch

from adaptkit import OBJECTIVES
from adaptkit.attaching import AdapterLayers
from adaptkit.data.tokens import TokenStore
from adaptkit.objectives import Objective
from adaptkit.options import Options, option
from adaptkit.training import TrainingData
from adaptkit.training.objectives import (
    MaskedObjective,
    MaskingRule,
    ObjectiveTraining,
    masked_objective,
    softmax_vocabulary,
)
from adaptkit.training.tokenized_text import TokenizedText


@dataclass(frozen=True, kw_only=True)
class Tlm(Options):
    """Translation language modelling.

    Raises:
        ConfigError: A share that does not lie between 0 and 1.
    """

    mask_share: float = option(0.15, "share of the tokens that are masked, in both languages", above=0, below=1)


class TlmTraining(ObjectiveTraining[Tlm]):
    """Rows of two texts, and the masked objective on them."""

    head_warmup = None

    def data(self, text: TokenizedText) -> TrainingData:
        """Each sentence with its translation behind it, where both have room."""
        pairs = [(sentence.text, sentence.translation or "") for sentence in text.sentences()]
        rows = self.model.backbone.tokenize_two(pairs, max_length=text.max_length)
        whole = [ids for ids, first_length in rows if first_length]
        if len(whole) < len(rows):
            text.note(f"{len(rows) - len(whole):,} of {len(rows):,} sentences have no translation beside them")
        return TrainingData(TokenStore(whole), None, text.seed)

    def loss(self, layers: AdapterLayers, data: TrainingData, dtype: torch.dtype) -> MaskedObjective:
        """Cross-entropy of the masked tokens of both."""
        return masked_objective(
            self.model.backbone,
            layers,
            rule=MaskingRule(share=self.options.mask_share),
            vocabulary=softmax_vocabulary(data, full=False),
            anchor_weight=0.0,
            dtype=dtype,
        )


TLM = OBJECTIVES.register(
    Objective(
        name="tlm",
        title="translation language modelling",
        options=Tlm,
        training=lambda: TlmTraining,
        paper="translation language modelling: Lample and Conneau 2019, arXiv:1901.07291",
        needs_translations=True,
        backbone="encoder",
    )
)
