"""Adapter layers for one backbone."""

from adaptkit.attaching import AdapterLayers
from adaptkit.backbones import Backbone
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.layers.heads import VectorHead
from adaptkit.storage import Adapter


class LayerBuilder:
    """Builds layers on the backbone's device, whose heads make sentence vectors as the backbone does."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone

    def fresh(self, config: AdapterConfig) -> AdapterLayers:
        """Trainable layers, freshly initialised.

        Raises:
            ArchitectureMismatch: The config names a block that the backbone does not have.
        """
        return self._as_here(AdapterLayers(config, self._backbone.shape.sites()).to(self._backbone.device))

    def holding(self, adapter: Adapter) -> AdapterLayers:
        """Frozen layers that hold an adapter's tensors.

        Raises:
            ArchitectureMismatch: The adapter's config names a block that the backbone does not have.
        """
        shapes = self._backbone.shape.sites()
        return self._as_here(AdapterLayers.holding(adapter.config, shapes, adapter.tensors, self._backbone.device))

    def _as_here(self, layers: AdapterLayers) -> AdapterLayers:
        layers.use(self._backbone.network)
        if isinstance(layers.head, VectorHead):
            layers.head.use(self._backbone.sentences)
        return layers
