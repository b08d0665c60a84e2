"""Build a backbone tensor by tensor, each quantised as it arrives: the whole is never in memory unquantised."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from adaptkit.backbones.fingerprint import is_sampled, sampled
from adaptkit.backbones.linears import Int8Linear, QuantizedLinear, four_bit_linear
from adaptkit.backbones.networks import all_blocks_of
from adaptkit.backbones.stored_tensors import StoredTensor, incomplete
from adaptkit.backbones.table_source import TableSource
from adaptkit.backbones.vocabulary import Vocabulary, letters_of
from adaptkit.backbones.word_embeddings import ScaledEmbeddings, TrimmedEmbeddings, WordEmbeddings
from adaptkit.errors import CorruptBackbone, UnsupportedArchitecture
from adaptkit.format.architectures import ARCHITECTURES, Architecture, architecture_of
from adaptkit.format.fingerprint import Fingerprint
from adaptkit.holding import CACHE_BYTES, Bits, EmbeddingForm

LINEARS: Mapping[int, Callable[[Tensor, Tensor | None], QuantizedLinear]] = {8: Int8Linear, 4: four_bit_linear}
_COARSE = ("nf4", "int8")

# What the modules of the known architectures compute when they are made.
_BUFFERS: Mapping[str, Callable[[nn.Module, torch.Size], Tensor]] = {
    "position_ids": lambda _, shape: torch.arange(shape[-1]).expand(shape).clone(),
    "token_type_ids": lambda _, shape: torch.zeros(shape, dtype=torch.long),
    "embed_scale": lambda table, _: torch.tensor(table.scalar_embed_scale),
}


def empty_network(config: PreTrainedConfig) -> PreTrainedModel:
    """The modules of a bare encoder or decoder, without memory for their weights. No pooler and no head is made."""
    # This context is the thread's own; accelerate's init_empty_weights would change every thread's modules.
    with torch.device("meta"):
        network: PreTrainedModel = AutoModel.from_config(config, **architecture_of(config.model_type).bare_options)  # type: ignore[no-untyped-call]
    for path, module in list(network.named_modules()):
        if path.endswith("rotary_emb"):
            # What it computes from the config when it is made has no place in a checkpoint.
            network.set_submodule(path, type(module)(config))
    for path in architecture_of(config.model_type).positions:
        # So are positions that are not learned.
        positions: Any = network.get_submodule(path)
        if positions._buffers.pop("weights", None) is not None:
            count = positions.num_positions + positions.offset
            positions.make_weights(count, positions.embedding_dim, positions.padding_idx)
    for name, buffer in [(name, buffer) for name, buffer in network.named_buffers() if buffer.is_meta]:
        path, _, last = name.rpartition(".")
        if last not in _BUFFERS:
            raise UnsupportedArchitecture(config.model_type, tuple(ARCHITECTURES))
        module = network.get_submodule(path)
        module._buffers[last] = _BUFFERS[last](module, buffer.shape)
    return network


def load_resident(
    tensors: Mapping[str, StoredTensor], config: PreTrainedConfig, dtype: torch.dtype, device: torch.device
) -> PreTrainedModel:
    """The network on its device, with every weight as it is, in one type.

    Raises:
        CorruptBackbone: A weight is missing, or has another shape than the config says.
    """
    network = empty_network(config)
    for name, tensor in require_complete(network, tensors).items():
        _put(network, name, tensor.read().to(device, dtype))
    return _frozen(network, device)


def load_streamed(
    tensors: Mapping[str, StoredTensor],
    config: PreTrainedConfig,
    tokenizer: PreTrainedTokenizerBase,
    *,
    bits: Bits,
    embeddings: EmbeddingForm,
    vocabulary: Vocabulary | None,
    cache_bytes: int = CACHE_BYTES,
    dtype: torch.dtype,
    device: torch.device,
) -> tuple[PreTrainedModel, Fingerprint]:
    """The network on its device, and the fingerprint of the weights before they were quantised.

    Raises:
        CorruptBackbone: A weight is missing, or has another shape than the config says.
    """
    network = empty_network(config)
    stored = require_complete(network, tensors)
    row = architecture_of(config.model_type)
    table = row.table
    precision = _precision(bits, embeddings, dtype)
    # What is only rounded is sampled as it is held, as from a backbone that was loaded whole.
    rounded = None if precision in _COARSE else dtype
    samples = {table: sampled(table, stored[table], rounded)}
    kept = None if vocabulary is None else vocabulary.ids[vocabulary.ids < config.vocab_size]
    word_embeddings = _table(TableSource(stored[table], kept, dtype, cache_bytes), embeddings, tokenizer)
    if row.scaled_embeddings:
        # Rounded as transformers rounds it.
        word_embeddings.scale = float(torch.tensor(config.hidden_size**0.5, dtype=dtype))
    _put_table(network, row, word_embeddings.to(device))
    for path, linear in _block_linears(network) if bits in LINEARS else ():
        weights = {name: stored[f"{path}.{name}"].read() for name, _ in linear.named_parameters()}
        samples |= {f"{path}.{name}": sampled(f"{path}.{name}", weight, rounded) for name, weight in weights.items()}
        bias = weights["bias"].to(device, dtype) if "bias" in weights else None
        # Quantised where it will be, as kernels of two devices may round differently.
        network.set_submodule(path, LINEARS[bits](weights["weight"].to(device), bias))
    for name, weight in list(network.named_parameters()):
        if weight.is_meta:
            value = stored[name].read()
            samples[name] = sampled(name, value, rounded)
            _put(network, name, value.to(device, dtype))
    for path in row.positions:
        nn.Module.to(network.get_submodule(path), dtype)
    _frozen(network, device)
    order = [name for name in stored if is_sampled(name)]
    return network, Fingerprint(precision=precision, samples={name: samples[name] for name in order})


def _frozen(network: PreTrainedModel, device: torch.device) -> PreTrainedModel:
    nn.Module.to(network, device)
    network.train(mode=False)
    network.requires_grad_(requires_grad=False)
    return network


def _precision(bits: Bits, embeddings: EmbeddingForm, dtype: torch.dtype) -> str:
    """The coarsest way in which weights are held, by the name that the table of bounds has for it."""
    held = {4: "nf4", 8: "int8"}.get(bits), embeddings.precision
    return next((name for name in _COARSE if name in held), str(dtype).removeprefix("torch."))


def require_complete(network: PreTrainedModel, found: Mapping[str, StoredTensor]) -> dict[str, StoredTensor]:
    """The tensors of a network, which may be without memory for its weights, in its order.

    Raises:
        CorruptBackbone: The checkpoint lacks one, has one of another shape, or has more blocks.
    """
    wanted = {name: tuple(weight.shape) for name, weight in network.named_parameters()}
    missing = [name for name in wanted if name not in found]
    if missing:
        raise CorruptBackbone(incomplete(missing))
    for name, shape in wanted.items():
        if found[name].shape != shape:
            raise CorruptBackbone(
                f"the checkpoint's {name} has shape {found[name].shape}; its config says {shape}. Fetch both again."
            )
    for blocks, _ in architecture_of(network.config.model_type).sides:
        stored, ours = _blocks_in(found, f"{blocks}."), _blocks_in(wanted, f"{blocks}.")
        if len(stored) > len(ours):
            raise CorruptBackbone(
                f"the checkpoint has {len(stored)} blocks; its config says {len(ours)}. Fetch both again, or save the "
                "shorter network with transformers' save_pretrained."
            )
    return {name: found[name] for name in wanted}


def _blocks_in(names: Iterable[str], start: str) -> set[str]:
    return {name.removeprefix(start).partition(".")[0] for name in names if name.startswith(start)}


def _table(source: TableSource, form: EmbeddingForm, tokenizer: PreTrainedTokenizerBase) -> WordEmbeddings:
    rows: WordEmbeddings = form.table()(source)
    if source.kept is None:
        return rows
    return TrimmedEmbeddings(rows, source.kept, source.stored.shape[0], letters_of(tokenizer, source.kept))


def _put_table(network: PreTrainedModel, row: Architecture, table: WordEmbeddings) -> None:
    """The table in its place, and where the sides of an encoder-decoder read it, scaled as there."""
    scales = {path: getattr(network.get_submodule(path), "embed_scale", 1.0) for path in row.copies_of_table}
    network.set_submodule(row.word_embeddings, table)
    for path, scale in scales.items():
        network.set_submodule(path, table if scale == 1.0 else ScaledEmbeddings(table, float(scale)))


def _block_linears(network: PreTrainedModel) -> Iterator[tuple[str, nn.Linear]]:
    """The linear layers of the blocks, with their paths; what lies outside (heads, poolers) is never quantised."""
    inside = {id(module) for block in all_blocks_of(network) for module in block.modules()}
    yield from [
        (path, module)
        for path, module in network.named_modules()
        if isinstance(module, nn.Linear) and id(module) in inside
    ]


def _put(network: nn.Module, name: str, value: Tensor) -> None:
    path, _, last = name.rpartition(".")
    setattr(network.get_submodule(path), last, nn.Parameter(value, requires_grad=False))
