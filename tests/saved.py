"""Tiny backbones as transformers folders on disk."""

from pathlib import Path

from safetensors.torch import load_file, save_file
from transformers import PreTrainedTokenizerFast

from tests.tiny import tiny_network, tiny_tokenizer


def saved_backbone(
    folder: Path,
    model_type: str = "bert",
    *,
    seed: int = 0,
    n_blocks: int = 2,
    tokenizer: PreTrainedTokenizerFast | None = None,
) -> Path:
    tiny_network(model_type, seed=seed, n_blocks=n_blocks).save_pretrained(folder)
    (tokenizer or tiny_tokenizer()).save_pretrained(folder)
    return folder


def with_tensors(folder: Path, *, dropped: str | None = None, renamed: dict[str, str] | None = None) -> Path:
    """The same folder with one tensor left out, or parts of names replaced."""
    path = folder / "model.safetensors"
    tensors = {name: tensor for name, tensor in load_file(path).items() if name != dropped}
    for old, new in (renamed or {}).items():
        tensors = {name.replace(old, new): tensor for name, tensor in tensors.items()}
    save_file(tensors, path, metadata={"format": "pt"})
    return folder
