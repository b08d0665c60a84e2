"""Adapter layers: pure maps `(site_input, site_output) -> site_output`. None of them sees a backbone weight."""

from adaptkit.layers.bank import AdapterLayers, SiteAddress, SiteShape
from adaptkit.layers.bottleneck import BottleneckLayer
from adaptkit.layers.fusion import FusionLayer
from adaptkit.layers.heads import Head
from adaptkit.layers.invertible import InvertibleLayer
from adaptkit.layers.lora import LoraLayer

__all__ = [
    "AdapterLayers",
    "BottleneckLayer",
    "FusionLayer",
    "Head",
    "InvertibleLayer",
    "LoraLayer",
    "SiteAddress",
    "SiteShape",
]
