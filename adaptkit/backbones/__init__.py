"""Frozen pretrained encoders and decoders: load, describe, identify. Nothing here knows an active adapter."""

from adaptkit.backbones.backbone import Backbone
from adaptkit.backbones.load import load_backbone, vocabulary_of
from adaptkit.backbones.memory import MemoryReport, bytes_of, memory_of
from adaptkit.backbones.networks import all_blocks_of, blocks_of, embedding_rows, shape_of, widening_of
from adaptkit.backbones.text_reader import TextReader
from adaptkit.backbones.vocabulary import Vocabulary
from adaptkit.backbones.windows import Window
from adaptkit.backbones.word_embeddings import TrimmedEmbeddings
from adaptkit.backbones.word_starts import word_starts

__all__ = [
    "Backbone",
    "MemoryReport",
    "TextReader",
    "TrimmedEmbeddings",
    "Vocabulary",
    "Window",
    "all_blocks_of",
    "blocks_of",
    "bytes_of",
    "embedding_rows",
    "load_backbone",
    "memory_of",
    "shape_of",
    "vocabulary_of",
    "widening_of",
    "word_starts",
]
