"""A backbone's `config.json`, whose sizes are bounded before transformers makes anything of them."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from transformers import AutoConfig, PreTrainedConfig

from adaptkit.backbones.networks import shape_of
from adaptkit.backbones.stored_tensors import find_file
from adaptkit.config import MAX_BLOCKS, MAX_VOCABULARY, MAX_WIDTH
from adaptkit.errors import ConfigError, CorruptBackbone
from adaptkit.format.architectures import architecture_of
from adaptkit.format.shapes import BackboneShape, DecoderShape, EncoderDecoderShape

CONFIG_FILE = "config.json"
_MOST_BYTES = 4 * 2**20
_MOST_POSITIONS = 2**24
_MOST_DEPTH = 16
_BOUNDS = {
    **dict.fromkeys(("num_hidden_layers", "n_layers", "num_hidden_groups", "inner_group_num"), MAX_BLOCKS),
    **dict.fromkeys(("num_layers", "num_decoder_layers", "encoder_layers", "decoder_layers"), MAX_BLOCKS),
    **dict.fromkeys(("num_attention_heads", "n_heads", "num_key_value_heads", "head_dim"), MAX_WIDTH),
    **dict.fromkeys(("num_heads", "d_kv", "encoder_attention_heads", "decoder_attention_heads"), MAX_WIDTH),
    **dict.fromkeys(("hidden_size", "dim", "intermediate_size", "hidden_dim", "embedding_size"), MAX_WIDTH),
    **dict.fromkeys(("d_model", "d_ff", "encoder_ffn_dim", "decoder_ffn_dim"), MAX_WIDTH),
    **dict.fromkeys(("vocab_size", "type_vocab_size", "num_labels"), MAX_VOCABULARY),
    **dict.fromkeys(("max_position_embeddings", "max_relative_positions", "position_buckets"), _MOST_POSITIONS),
}
"""The largest value of each size that a config may state."""
_STUMBLES = (
    TypeError,
    KeyError,
    AttributeError,
    ArithmeticError,
    IndexError,
    AssertionError,
    RuntimeError,
    StrictDataclassError,
)
_MAY_BE_BELOW_1 = {"max_relative_positions", "position_buckets", "num_labels", "type_vocab_size"}
_OPTIONAL = {"num_key_value_heads", "head_dim", "embedding_size", "num_decoder_layers", *_MAY_BE_BELOW_1}


def read_config(source: str) -> PreTrainedConfig:
    """The config of a local folder or hub id, of an architecture that has a row.

    Raises:
        BackboneUnavailable: The hub does not answer.
        OSError, ValueError: No config there, or none that transformers knows.
        UnsupportedArchitecture: The model type has no row.
        CorruptBackbone: A size that cannot be right.
    """
    path = find_file(source, CONFIG_FILE)
    stated = None if path is None else read_object(path)
    return checked_config(source, stated, lambda: AutoConfig.from_pretrained(source, trust_remote_code=False))


def checked_config(
    source: str, stated: Mapping[str, Any] | None, make: Callable[[], PreTrainedConfig]
) -> PreTrainedConfig:
    """What transformers makes of a config, after each size that is stated was found within its bound.

    Raises:
        UnsupportedArchitecture: The model type has no row.
        CorruptBackbone: A size that cannot be right.
    """
    if stated is not None:
        _check(dict(stated))
    with sound(source):
        config = make()
    architecture_of(config.model_type)
    with sound(source):
        _check_shape(shape_of(config))
    if getattr(config, "inner_group_num", 1) != 1:
        raise ConfigError(
            f"{source!r} has {config.inner_group_num} layers in each group that is run in turn; adaptkit knows ALBERT "
            "with one (inner_group_num), as all that were published have. Load another backbone."
        )
    return config


@contextmanager
def sound(source: str, *also: type[Exception]) -> Iterator[None]:
    """Around what transformers makes of a config; `also` are errors that have no other meaning there.

    Raises:
        CorruptBackbone: It stumbles over a value.
    """
    stumbles: tuple[type[Exception], ...] = (*_STUMBLES, *also)
    try:
        yield
    except stumbles as error:
        raise CorruptBackbone(
            f"transformers cannot make a model of the {CONFIG_FILE} of {source!r} "
            f"({type(error).__name__}: {str(error)[:300]}). Fetch the backbone again."
        ) from error


def read_json(path: Path) -> object:
    """The content of a JSON file beside a backbone's weights.

    Raises:
        CorruptBackbone: It is none, or a very large one.
    """
    size = path.stat().st_size
    if size > _MOST_BYTES:
        raise CorruptBackbone(f"{path} is {size:,} bytes long; such a file has at most {_MOST_BYTES:,}.")
    try:
        content: object = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise CorruptBackbone(f"{path} is not sound JSON: {type(error).__name__}. Fetch the backbone again.") from error
    return content


def read_object(path: Path) -> dict[str, Any]:
    """The content of such a file that holds a JSON object.

    Raises:
        CorruptBackbone: It does not.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise CorruptBackbone(f"{path} holds no JSON object. Fetch the backbone again.")
    return content


_NAMES_OF_LABELS = frozenset({"label2id", "id2label"})


def _check(part: object, depth: int = 0) -> None:
    """Every size in a config, also in a config inside it."""
    if depth > _MOST_DEPTH:
        raise CorruptBackbone(f"the config is nested more than {_MOST_DEPTH} deep. Fetch the backbone again.")
    if isinstance(part, list):
        for inner in part:
            _check(inner, depth + 1)
    if not isinstance(part, dict):
        return
    for name, value in part.items():
        if name in _BOUNDS:
            _check_size(name, value)
        if name not in _NAMES_OF_LABELS:
            _check(value, depth + 1)


def _check_size(name: str, value: object) -> None:
    if value is None and name in _OPTIONAL:
        return
    least, most = -1 if name in _MAY_BE_BELOW_1 else 1, _BOUNDS[name]
    if type(value) is not int or not least <= value <= most:
        raise CorruptBackbone(
            f"the config says that {name} is {value!r:.80}; right is an integer from {least} to {most:,}. Fetch the "
            "backbone again."
        )


def _check_shape(shape: BackboneShape) -> None:
    """What only the config as a whole says: sizes that transformers filled in, and how they go together."""
    if isinstance(shape, EncoderDecoderShape) and shape.n_heads * shape.head_width > MAX_WIDTH:
        raise CorruptBackbone(
            f"the config says that there are {shape.n_heads:,} heads of {shape.head_width:,} values; right is at most "
            f"{MAX_WIDTH:,} values in all. Fetch the backbone again."
        )
    if not isinstance(shape, DecoderShape):
        return
    queries, keys = shape.n_heads * shape.head_width, shape.n_key_heads
    if queries > MAX_WIDTH or keys > shape.n_heads or shape.n_heads % keys:
        raise CorruptBackbone(
            f"the config says that {shape.n_heads:,} heads of {shape.head_width:,} values share {keys:,} keys; right "
            f"is at most {MAX_WIDTH:,} values in all, and heads that the keys divide. Fetch the backbone again."
        )
