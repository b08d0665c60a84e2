"""Adapter layers for one backbone."""

from collections.abc import Mapping
from functools import cached_property

from adaptkit.attaching import AdapterLayers, Blanks
from adaptkit.backbones import Backbone
from adaptkit.config import SiteShape
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.shapes import SiteAddress
from adaptkit.layers.heads import VectorHead
from adaptkit.storage import Adapter


class LayerBuilder:
    """Builds layers on the backbone's device, whose heads make sentence vectors as the backbone does."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self._blanks = Blanks()

    @cached_property
    def _shapes(self) -> Mapping[SiteAddress, SiteShape]:
        return self._backbone.shape.sites()

    def fresh(self, config: AdapterConfig) -> AdapterLayers:
        """Trainable layers, freshly initialised.

        Raises:
            ArchitectureMismatch: The config names a block that the backbone does not have.
        """
        return self._as_here(AdapterLayers(config, self._shapes).to(self._backbone.device))

    def holding(self, adapter: Adapter) -> AdapterLayers:
        """Frozen layers that hold an adapter's tensors.

        Raises:
            ArchitectureMismatch: The adapter's config names a block that the backbone does not have.
        """
        device = self._backbone.device
        return self._as_here(AdapterLayers.holding(adapter.config, self._shapes, adapter.tensors, device, self._blanks))

    def _as_here(self, layers: AdapterLayers) -> AdapterLayers:
        layers.use(self._backbone.network)
        if isinstance(layers.head, VectorHead):
            layers.head.use(self._backbone.sentences)
        return layers
