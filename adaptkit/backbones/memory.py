"""Where the memory of a loaded backbone is: bytes held by each part."""

from collections.abc import Iterator, Mapping

from torch import Tensor
from transformers import PreTrainedModel

from adaptkit.backbones.networks import embeddings_of
from adaptkit.backbones.word_embeddings import WordEmbeddings
from adaptkit.format.architectures import Architecture, architecture_of


class MemoryReport(Mapping[str, int]):
    """Resident bytes by part: embeddings, attention, feed-forward, other, and what is attached. Prints as a table."""

    def __init__(self, parts: Mapping[str, int]) -> None:
        self._parts = dict(parts)

    @property
    def total(self) -> int:
        """All parts together."""
        return sum(self._parts.values())

    def __getitem__(self, part: str) -> int:
        return self._parts[part]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def __str__(self) -> str:
        rows = [*self._parts.items(), ("total", self.total)]
        return "\n".join(f"{part:<13}{n_bytes / 2**20:>9.1f} MiB" for part, n_bytes in rows)


def memory_of(network: PreTrainedModel) -> dict[str, int]:
    """Bytes of the backbone's tensors by part; of a paged table, what is cached now."""
    parts = {"embeddings": 0, "attention": 0, "feed-forward": 0, "other": 0}
    embeddings = {id(module) for module in embeddings_of(network).modules()}
    row = architecture_of(network.config.model_type)
    for path, module in network.named_modules():
        part = "other"
        if id(module) in embeddings:
            part = "embeddings"
        elif path.startswith(f"{row.blocks}."):
            part = _part_of_block(path.removeprefix(f"{row.blocks}."), row)
        parts[part] += bytes_of(module.parameters(recurse=False)) + bytes_of(module.buffers(recurse=False))
        if isinstance(module, WordEmbeddings):
            parts[part] += module.cached_bytes
    return parts


def _part_of_block(path: str, row: Architecture) -> str:
    """Of a module at this path among the blocks: whether it is attention or feed-forward."""
    _, _, inside = path.partition(".")
    return "attention" if inside.partition(".")[0] in row.attention_parts else "feed-forward"


def bytes_of(tensors: Iterator[Tensor]) -> int:
    """Bytes of some tensors."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
