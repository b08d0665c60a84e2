"""Adapter layers: pure maps `(site_input, site_output) -> site_output`. None of them sees a backbone weight.

The exceptions are `DoraLayer`, which asks for products with one, and `BottleneckMadxLayer`, which is given a norm.
"""

from adaptkit.layers.adapter_layer import (
    AdapterLayer,
    BatchedLayer,
    CountsText,
    HandedModule,
    HandsOn,
    LowRankLayer,
    MixingLayer,
    ReadsText,
)
from adaptkit.layers.bottleneck import BottleneckLayer
from adaptkit.layers.bottleneck_madx import BottleneckMadxLayer
from adaptkit.layers.fusion import FusionLayer
from adaptkit.layers.heads import Head
from adaptkit.layers.invertible import InvertibleLayer
from adaptkit.layers.lora import LoraLayer
from adaptkit.layers.ngrams import NgramsLayer
from adaptkit.layers.normed import Normed
from adaptkit.layers.piece_rows import PieceRows
from adaptkit.layers.text_read import TextRead, reading, text_read

__all__ = [
    "AdapterLayer",
    "BatchedLayer",
    "BottleneckLayer",
    "BottleneckMadxLayer",
    "CountsText",
    "FusionLayer",
    "HandedModule",
    "HandsOn",
    "Head",
    "InvertibleLayer",
    "LoraLayer",
    "LowRankLayer",
    "MixingLayer",
    "NgramsLayer",
    "Normed",
    "PieceRows",
    "ReadsText",
    "TextRead",
    "reading",
    "text_read",
]
