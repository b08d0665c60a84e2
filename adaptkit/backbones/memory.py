"""Where the memory of a loaded backbone is: bytes held by each part."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from torch import Tensor
from transformers import PreTrainedModel

from adaptkit.backbones.networks import parts_of_embeddings
from adaptkit.backbones.word_embeddings import WordEmbeddings
from adaptkit.config import SiteName
from adaptkit.format.architectures import architecture_of


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
    row = architecture_of(network.config.model_type)
    embeddings = set(map(id, parts_of_embeddings(network)))
    counted: set[int] = set()
    for path, module in network.named_modules():
        part = "other"
        if id(module) in embeddings:
            part = "embeddings"
        else:
            for blocks, sites in row.sides:
                if path.startswith(f"{blocks}."):
                    part = _part_of_block(path.removeprefix(f"{blocks}."), sites)
        tensors = chain(module.parameters(recurse=False), module.buffers(recurse=False))
        own = [tensor for tensor in tensors if id(tensor) not in counted]
        counted.update(map(id, own))
        parts[part] += bytes_of(own)
        if isinstance(module, WordEmbeddings):
            parts[part] += module.cached_bytes
    return parts


def _part_of_block(path: str, sites: Mapping[SiteName, str]) -> str:
    """Of a module at this path among the blocks: whether it is attention or feed-forward."""
    _, _, inside = path.partition(".")
    attention = (place for site, place in sites.items() if "attention." in site)
    parts = {place.rpartition(".")[0] or place for place in attention}
    return "attention" if any(f"{inside}.".startswith(f"{part}.") for part in parts) else "feed-forward"


def bytes_of(tensors: Iterable[Tensor]) -> int:
    """Bytes of some tensors."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
