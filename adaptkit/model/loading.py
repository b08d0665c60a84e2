"""A model from a backbone's name, with nothing attached yet."""

import os

import torch

from adaptkit.backbones import Vocabulary, load_backbone
from adaptkit.holding import AUTO, CACHE_BYTES, Bits, Graphs
from adaptkit.model.adapted import AdaptedModel


def load_model(
    name_or_path: str | os.PathLike[str] | None = None,
    *,
    bits: Bits = 32,
    embeddings: str | None = None,
    vocabulary: Vocabulary | None = None,
    cache_bytes: int = CACHE_BYTES,
    device: str | torch.device = AUTO,
    dtype: torch.dtype | None = None,
    graphs: Graphs = AUTO,
) -> AdaptedModel:
    """Load a frozen backbone that adapters attach to; None is the embedded multilingual-e5-small.

    `name_or_path` is a hub id, a local transformers folder or a GGUF file of an encoder (BERT, RoBERTa, XLM-R, ...) or
    decoder (Llama, Qwen, ...) whose family has a row in `adaptkit.format.architectures.ARCHITECTURES`.

    `device` is `auto` (CUDA where there is a GPU, else Apple's, else the CPU), `cpu`, `cuda`, `cuda:N` or `mps`.

    `bits` is 32, 16, 8 (the weights of LLM.int8) or 4 (nf4), for the linear layers of the blocks. `embeddings` says how
    the word embeddings are held, most of a multilingual encoder: `resident`, as they are; `paged`, read from the file
    on demand through a cache of `cache_bytes`, exact; `int8`; `nf4`. By default they are paged at 8 and 4 bits.
    `graphs` says when passes are recorded as CUDA graphs, see `use_graphs`.
    `vocabulary` (from `adaptkit.vocabulary_of`) keeps the rows of some languages only, at 8 and 4 bits as int8 by
    default. `dtype` is the type of what is not quantised (default: float32, and half as long at 16 bits or on a GPU).

    Raises:
        BackboneUnavailable: Nothing at that name, or no hub answers.
        UnsupportedArchitecture: The model type has no row in the table.
        CorruptBackbone: A checkpoint that lacks weights.
        ConfigError: A device, bits or a form of embeddings that there is not, a vocabulary of another tokenizer, or
            graphs without CUDA.
        OutOfMemory: The device's memory does not hold the backbone.
    """
    model = AdaptedModel(
        load_backbone(
            name_or_path,
            bits=bits,
            embeddings=embeddings,
            vocabulary=vocabulary,
            cache_bytes=cache_bytes,
            device=device,
            dtype=dtype,
        )
    )
    model.use_graphs(graphs)
    return model
