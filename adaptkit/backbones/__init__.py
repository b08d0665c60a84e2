"""Frozen pretrained encoders: load, describe, identify. Nothing here knows an adapter in force."""

from adaptkit.backbones.architectures import (
    ARCHITECTURES,
    Architecture,
    BackboneShape,
    blocks_of,
    embeddings_of,
    word_embeddings_of,
)
from adaptkit.backbones.backbone import Backbone, Window
from adaptkit.backbones.fingerprint import Fingerprint, Verdict
from adaptkit.backbones.load import load_backbone

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "Backbone",
    "BackboneShape",
    "Fingerprint",
    "Verdict",
    "Window",
    "blocks_of",
    "embeddings_of",
    "load_backbone",
    "word_embeddings_of",
]
