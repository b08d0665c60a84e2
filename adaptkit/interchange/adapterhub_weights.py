"""The weight file of an AdapterHub folder: safetensors, or a pickle where that is allowed."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from torch import Tensor

from adaptkit.errors import MalformedTensorFile, NotConvertible, TensorSetMismatch
from adaptkit.format import spec
from adaptkit.format.folder import read_file
from adaptkit.format.tensor_file import Shapes, parse_header
from adaptkit.interchange.module_names import unwrapped
from adaptkit.interchange.pickled import load_pickled, tensors_of_pickled
from adaptkit.storage.tensors import parse_tensors
from adaptkit.terminal.asking import as_typed

SAFE = "adapter.safetensors"
PICKLE = "pytorch_adapter.bin"
# What adapter-transformers called some modules before its version 2.
_OLD_NAMES = {
    "attention_text_task_adapters": "adapters",
    "attention_text_lang_adapters": "adapters",
    "layer_text_task_adapters": "adapters",
    "layer_text_lang_adapters": "adapters",
    "invertible_lang_adapters": "invertible_adapters",
}
_MODEL = re.compile(r"\w{1,64}\.")


def read_weights(folder: Path, expected: Shapes, *, allow_pickle: bool) -> dict[str, Tensor]:
    """Exactly the expected tensors, in float32, under their names without the name of the model before them.

    Raises:
        NotConvertible: The weights are a pickle, and `allow_pickle` is not set.
        AdapterFileError: The file is not sound, or holds other tensors.
    """
    if not (folder / SAFE).exists() and (folder / PICKLE).exists():
        if not allow_pickle:
            raise NotConvertible(
                f"{folder} holds {PICKLE}, a pickle, a kind of file that can run code. Save the adapter again with "
                "save_adapter(folder, name, use_safetensors=True); or, if you trust whoever made it, say "
                f"{as_typed(allow_pickle=True)}: it is then read by torch's restricted reader (weights_only)."
            )
        return _from_pickle(folder, expected)
    file = folder / SAFE
    content = read_file(folder, SAFE, max_bytes=spec.MAX_WEIGHTS_BYTES)
    names = _by_our_name(parse_header(content, file), expected, file)
    tensors = parse_tensors(content, {names[name]: shape for name, shape in expected.items()}, file)
    return {name: tensors[names[name]].float() for name in expected}


def _from_pickle(folder: Path, expected: Shapes) -> dict[str, Tensor]:
    file = folder / PICKLE
    loaded = load_pickled(read_file(folder, PICKLE, max_bytes=spec.MAX_WEIGHTS_BYTES), file)
    names = _by_our_name(loaded, expected, file)
    tensors = tensors_of_pickled(loaded, {names[name]: shape for name, shape in expected.items()}, file)
    return {name: tensors[names[name]].float() for name in expected}


def _by_our_name(found: Iterable[str], expected: Shapes, file: Path) -> Mapping[str, str]:
    """The names in the file by those that are expected: without the model's before them, and in today's words.

    Raises:
        TensorSetMismatch: Some are missing, or others are there.
    """
    today: dict[str, str] = {}
    for name in found:
        if (renamed := _in_todays_words(name)) in today:
            raise MalformedTensorFile(file, f"holds {name[:120]!r} twice, under an old name and a new one.")
        today[renamed] = name
    some = next(iter(today), "")
    starts = [some.removesuffix(name) for name in expected if some.endswith(f".{name}")]
    start = starts[0] if starts and _MODEL.fullmatch(starts[0]) else ""
    names = {name: today[start + name] for name in expected if start + name in today}
    missing, extra = sorted(expected.keys() - names.keys()), sorted(set(today.values()) - set(names.values()))
    if missing or extra:
        raise TensorSetMismatch(file, missing, [name[:120] for name in extra])
    return names


def _in_todays_words(name: str) -> str:
    name = unwrapped(name)
    for old, new in _OLD_NAMES.items():
        name = name.replace(old, new)
    return name
