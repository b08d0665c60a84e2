"""Tokenizers of megabytes, such as the embedded backbone's, are read and hashed once in a process.

Both take three quarters of what loading that backbone takes, and every page of the documentation loads it.
"""

from copy import copy
from functools import cache
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from adaptkit.backbones import backbone, checkpoint
from adaptkit.backbones.fingerprint import tokenizer_hash

_LARGE = 4 * 2**20


def keep() -> None:
    """From now on, in this process."""
    checkpoint.AutoTokenizer = _Kept  # type: ignore[attr-defined,assignment]
    backbone.tokenizer_hash = _kept_hash  # type: ignore[attr-defined]


class _Kept:
    @staticmethod
    def from_pretrained(source: str, **options: Any) -> PreTrainedTokenizerBase:  # noqa: ANN401
        file = Path(source) / "tokenizer.json"
        if not file.is_file() or file.stat().st_size < _LARGE:
            found: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(source, **options)
            return found
        return _with_settings_of_its_own(_read(file.resolve(), file.stat().st_mtime_ns))  # a link is the same file


@cache
def _read(file: Path, _written: int) -> PreTrainedTokenizerBase:
    found: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(file.parent, trust_remote_code=False)
    return found


def _with_settings_of_its_own(tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
    """The pieces are shared."""
    twin = copy(tokenizer)
    vars(twin).update((name, copy(value)) for name, value in vars(twin).items() if isinstance(value, (dict, list, set)))
    return twin


_hashes: dict[int, tuple[object, str]] = {}


def _kept_hash(tokenizer: PreTrainedTokenizerBase) -> str:
    """Of tokenizers that share pieces, once; an engine that is held keeps its number."""
    engine = getattr(tokenizer, "_tokenizer", None)
    if len(tokenizer) < 100_000:
        return tokenizer_hash(tokenizer)
    if id(engine) not in _hashes:
        _hashes[id(engine)] = (engine, tokenizer_hash(tokenizer))
    return _hashes[id(engine)][1]
