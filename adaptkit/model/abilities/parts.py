"""What every ability of a model works with: the backbone, what is attached to it, and its passes."""

import torch
from torch import nn
from transformers import PreTrainedTokenizerBase

from adaptkit.attaching import SiteHooks
from adaptkit.backbones import Backbone
from adaptkit.model.encoding import Encoder
from adaptkit.model.generation import Generator
from adaptkit.model.lookup import StackLookup
from adaptkit.model.notices import Notices
from adaptkit.model.passes import Passes
from adaptkit.model.proof import Prover
from adaptkit.model.registry import Registry
from adaptkit.model.remembered import RememberedStacks
from adaptkit.model.resolving import Resolver


class ModelParts(nn.Module):
    """A backbone, and what looks stacks up, lets them act, and makes vectors and texts; each ability is built on it."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone
        self.network = backbone.network
        self.sentences = backbone.sentences
        self._hooks = SiteHooks(self.network)
        self._passes = Passes(backbone, self._hooks)
        self._encoder = Encoder(self._passes)
        self._generator = Generator(self._passes)
        remembered = RememberedStacks()
        self._registry = Registry(self._hooks, remembered)
        self.adapters = self._registry.modules
        resolver = Resolver(self._registry, remembered, backbone.shape.same_inputs())
        self._notices = Notices()
        self._prover = Prover(backbone, self._encoder, resolver, self._notices)
        self._stacks = StackLookup(self._registry, resolver, self._prover)

    @property
    def device(self) -> torch.device:
        """Where the backbone's weights are."""
        return self.backbone.device

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The backbone's tokenizer. Texts are read behind `backbone.text_prefix`."""
        return self.backbone.tokenizer
