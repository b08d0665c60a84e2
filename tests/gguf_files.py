"""Tiny GGUF files, written as llama.cpp's converter writes them."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import PreTrainedModel

from adaptkit.data.sample import sample_sentences
from tests.tiny import VOCABULARY_SIZE, tiny_network

ARCHITECTURES = {"llama": "llama", "qwen2": "qwen2", "qwen3": "qwen3", "gemma3_text": "gemma3", "phi3": "phi3"}
"""What llama.cpp calls families, by their `model_type`."""
CONTROL = ("<s>", "<pad>", "</s>", "<unk>")


def written_gguf(
    path: Path,
    model_type: str = "llama",
    *,
    seed: int = 0,
    kind: str = "F32",
    fields: Mapping[str, Any] | None = None,
    extra: Mapping[str, NDArray[np.float32]] | None = None,
    output: NDArray[np.float32] | None = None,
) -> Path:
    """A tiny random decoder; matrices whose rows are whole blocks are held in `kind`."""
    network = tiny_network(model_type, seed=seed)
    writer = gguf.GGUFWriter(path, ARCHITECTURES[model_type])
    stated = {**_sizes(network), **_pieces(), **(fields or {})}
    for name, value in stated.items():
        _add(writer, name.replace("{arch}", ARCHITECTURES[model_type]), value)
    tensors = {
        **_tensors(network, model_type),
        **(extra or {}),
        **({} if output is None else {"output.weight": output}),
    }
    for name, values in tensors.items():
        quantised = gguf.GGMLQuantizationType[kind] if values.ndim > 1 else gguf.GGMLQuantizationType.F32
        if values.shape[-1] % gguf.GGML_QUANT_SIZES[quantised][0]:
            quantised = gguf.GGMLQuantizationType.F32
        writer.add_tensor(name, gguf.quantize(values, quantised), raw_dtype=quantised)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add(writer: "gguf.GGUFWriter", name: str, value: object) -> None:
    if isinstance(value, list):
        writer.add_array(name, value)
    elif isinstance(value, bool):
        writer.add_bool(name, value)
    elif isinstance(value, int):
        writer.add_uint32(name, value)
    elif isinstance(value, float):
        writer.add_float32(name, value)
    elif value is not None:
        writer.add_string(name, str(value))


def _sizes(network: PreTrainedModel) -> dict[str, Any]:
    config = network.config
    head_width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    rope = config.rope_parameters
    sizes = {
        "context_length": config.max_position_embeddings,
        "embedding_length": config.hidden_size,
        "block_count": config.num_hidden_layers,
        "feed_forward_length": config.intermediate_size,
        "attention.head_count": config.num_attention_heads,
        "attention.head_count_kv": config.num_key_value_heads,
        "attention.layer_norm_rms_epsilon": config.rms_norm_eps,
        "attention.key_length": head_width,
        "rope.freq_base": float(
            rope["full_attention"]["rope_theta"] if "full_attention" in rope else rope["rope_theta"]
        ),
        "rope.dimension_count": head_width,
        "attention.sliding_window": getattr(config, "sliding_window", None),
    }
    return {f"{{arch}}.{name}": value for name, value in sizes.items()}


@cache
def byte_level_tokenizer() -> str:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE,
        special_tokens=list(CONTROL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text for row in sample_sentences() for text in row.texts.values()], trainer)
    content: str = tokenizer.to_str()
    return content


def _pieces() -> dict[str, Any]:
    import json

    model = json.loads(byte_level_tokenizer())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].__getitem__)
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3 if token in CONTROL else 1 for token in tokens],
        "tokenizer.ggml.merges": [" ".join(pair) for pair in model["merges"]],
        "tokenizer.ggml.bos_token_id": 0,
        "tokenizer.ggml.padding_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 3,
    }


def _tensors(network: PreTrainedModel, model_type: str) -> dict[str, NDArray[np.float32]]:
    """Rows of queries and keys in pairs where llama.cpp rotates pairs, and norms plus 1 where it multiplies by them."""
    config = network.config
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    (kind,) = (kind for kind, name in gguf.MODEL_ARCH_NAMES.items() if name == ARCHITECTURES[model_type])
    names, found = gguf.get_tensor_name_map(kind, config.num_hidden_layers), {}
    for name, weight in network.named_parameters():
        stem, _, last = name.rpartition(".")
        values, part = weight.detach().numpy(), stem.rpartition(".")[2]
        if model_type == "llama" and part in heads:
            shape = (heads[part], 2, len(values) // heads[part] // 2, *values.shape[1:])
            values = values.reshape(shape).swapaxes(1, 2).reshape(values.shape)
        if model_type == "gemma3_text" and stem.endswith("norm"):
            values = values + 1
        found[f"{names.get_name(f'model.{stem}')}.{last}"] = np.ascontiguousarray(values)
    return found
