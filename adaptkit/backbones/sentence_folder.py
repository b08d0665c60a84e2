"""What sentence-transformers keeps beside a backbone: pooling, what comes after it, prompts, the longest text."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from safetensors.torch import save_file
from torch import nn
from transformers import PreTrainedTokenizerBase

from adaptkit.backbones.config_file import read_json, read_object
from adaptkit.backbones.stored_tensors import find_file, is_known_to_lack, tensors_in
from adaptkit.config import MAX_WIDTH
from adaptkit.errors import CorruptBackbone
from adaptkit.layers.sentence_vectors import POOLING_MODES, PoolingMode, Projection, SentenceVectors, UnitLength

_MODULES = "modules.json"
_PROMPTS = "config_sentence_transformers.json"
_READING = "sentence_bert_config.json"
_CONFIG = "config.json"
_WEIGHTS = "model.safetensors"
_PICKLE = "pytorch_model.bin"
_LIBRARY = "sentence_transformers"
_ANEW = "SentenceTransformer(folder).save(new_folder) writes it so"
_PLAIN = "a mean over tokens is what you get from a copy of the folder without modules.json"
_OLD_MODES: Mapping[str, PoolingMode] = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
_THEIR_NAMES: Mapping[PoolingMode, str] = {"mean_sqrt_len": "mean_sqrt_len_tokens"}
_ACTIVATIONS: Mapping[str, type[nn.Module]] = {
    "Identity": nn.Identity,
    "Tanh": nn.Tanh,
    "ReLU": nn.ReLU,
    "GELU": nn.GELU,
    "Sigmoid": nn.Sigmoid,
    "SiLU": nn.SiLU,
}
_FIELDS_OF_VECTORS = ("sentence_embedding", None)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SentenceFolder:
    """How a backbone gives sentence vectors.

    `prompt` is put before a text where nothing else is asked for; `prompts` are all there are. Longer texts than
    `max_length` tokens were cut when it was trained; None is no such bound. `counts_prompt` is False where the vectors
    are to be without it.
    """

    mode: PoolingMode = "mean"
    after: tuple[Projection | UnitLength, ...] = ()
    counts_prompt: bool = True
    prompts: Mapping[str, str] = field(default_factory=dict)
    prompt: str | None = None
    max_length: int | None = None

    def vectors(self, tokenizer: PreTrainedTokenizerBase, prefix: str) -> SentenceVectors:
        """What makes the vectors of texts with this prefix."""
        n_skipped = 0 if self.counts_prompt else prompt_length(tokenizer, prefix)
        return SentenceVectors(self.mode, counts_prompt=self.counts_prompt, n_skipped=n_skipped, after=self.after)


def prompt_length(tokenizer: PreTrainedTokenizerBase, prompt: str) -> int:
    """How many leading tokens are a prompt's, with the special one before it."""
    if not prompt:
        return 0
    ids: list[int] = tokenizer(prompt)["input_ids"]
    return len(ids) - (ids[-1] in tokenizer.all_special_ids)


def read_sentence_folder(source: str, hidden_width: int, tokenizer: PreTrainedTokenizerBase) -> SentenceFolder:
    """Read what a local folder or hub id says; plain means where it says nothing.

    Raises:
        BackboneUnavailable: The hub does not answer.
        CorruptBackbone: Something that cannot be right, or that is not computed here.
    """
    place = find_file(source, _MODULES)
    if place is None:
        if not is_known_to_lack(source, _MODULES):
            _log.warning(
                "whether %s pools in a way of its own (%s) could not be found out; means are taken.", source, _MODULES
            )
        return SentenceFolder()
    first, *others = _modules(place)
    if first.kind != "Transformer" or not others or others[0].kind != "Pooling":
        raise _refused(
            place, f"begins with {first.kind} and {others[0].kind if others else 'nothing'}", "Transformer and Pooling"
        )
    if first.path not in ("", "."):
        raise _refused(place, f"has the network in the folder {first.path!r}", f"the network beside it ({_ANEW})")
    mode, counts_prompt = _pooling(others[0].config(source), place, hidden_width)
    after, width = [], hidden_width
    for module in others[1:]:
        if module.kind == "Dropout":
            continue
        made = _unit_length(module, source) if module.kind == "Normalize" else _projection(module, source, width)
        width = made.out_width if isinstance(made, Projection) else width
        after.append(made)
    prompts, prompt = _prompts(source)
    return SentenceFolder(
        mode=mode,
        after=tuple(after),
        counts_prompt=counts_prompt,
        prompts=prompts,
        prompt=prompt,
        max_length=_max_length(source, tokenizer),
    )


def write_sentence_folder(
    folder: Path, vectors: SentenceVectors, prompts: Mapping[str, str], prefix: str, hidden_width: int, max_length: int
) -> None:
    """Put beside a saved backbone what sentence-transformers reads.

    Whatever the name of the prompt was, `prefix` is put before texts there too.
    """
    modules = [("", "Transformer"), ("1_Pooling", "Pooling")]
    pooling = {
        "embedding_dimension": hidden_width,
        "pooling_mode": _THEIR_NAMES.get(vectors.mode, vectors.mode),
        "include_prompt": vectors.counts_prompt,
    }
    _write(folder / "1_Pooling" / _CONFIG, pooling)
    for number, module in enumerate(vectors.after, start=2):
        place = folder / f"{number}_{'Dense' if isinstance(module, Projection) else 'Normalize'}"
        modules.append((place.name, place.name.partition("_")[2]))
        _write(place / _CONFIG, _config_of(module))
        if isinstance(module, Projection):
            tensors = {f"linear.{name}": tensor.cpu().contiguous() for name, tensor in module.named_buffers()}
            save_file(tensors, place / _WEIGHTS, {"format": "pt"})
    kinds = {"Pooling": "models.Pooling", "Transformer": "models.Transformer", "Dense": "models.Dense"}
    listed = [
        {"idx": at, "name": str(at), "path": path, "type": f"{_LIBRARY}.{kinds.get(kind, f'models.{kind}')}"}
        for at, (path, kind) in enumerate(modules)
    ]
    _write(folder / _MODULES, listed)
    _write(folder / _READING, {"max_seq_length": max_length, "do_lower_case": False})
    named = {**prompts, _own_name(prompts, prefix): prefix} if prefix else dict(prompts)
    default = _own_name(prompts, prefix) if prefix else None
    _write(folder / _PROMPTS, {"prompts": named, "default_prompt_name": default})


def _own_name(prompts: Mapping[str, str], prefix: str) -> str:
    return next((name for name, prompt in prompts.items() if prompt == prefix), "prefix")


def _config_of(module: nn.Module) -> dict[str, object]:
    if not isinstance(module, Projection):
        return {}
    weight = module.get_buffer("weight")
    kind = type(module.activation)
    return {
        "in_features": weight.shape[1],
        "out_features": weight.shape[0],
        "bias": module.bias is not None,
        "activation_function": f"{kind.__module__}.{kind.__name__}",
    }


def _write(path: Path, content: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class _Module:
    kind: str
    path: str

    def config(self, source: str) -> dict[str, Any]:
        found = find_file(source, f"{self.path}/{_CONFIG}")
        return {} if found is None else read_object(found)


def _modules(place: Path) -> list[_Module]:
    content, found = read_json(place), []
    for entry in content if isinstance(content, list) else []:
        kind, path = (entry.get("type"), entry.get("path")) if isinstance(entry, dict) else (None, None)
        if not isinstance(kind, str) or not isinstance(path, str):
            raise _refused(place, f"has the entry {entry!r:.80}", "type and path as texts")
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise _refused(place, f"names the folder {path!r:.80}", "a folder inside it")
        library, _, name = kind.partition(".")
        if library != _LIBRARY:
            raise _refused(
                place,
                f"has a module of the type {kind!r:.80}, code that is not run",
                "modules of sentence-transformers",
            )
        found.append(_Module(name.rpartition(".")[2], path))
    if not found:
        raise _refused(place, "lists no modules", "Transformer and Pooling")
    return found


def _pooling(config: Mapping[str, Any], place: Path, hidden_width: int) -> tuple[PoolingMode, bool]:
    """The mode, and whether the prompt counts."""
    asked = config.get("pooling_mode")
    if asked is None:
        asked = [mode for name, mode in _OLD_MODES.items() if config.get(name)] or ["mean"]
    names = [asked] if isinstance(asked, str) else asked
    if not isinstance(names, list) or len(names) != 1:
        raise _refused(place, f"pools in several ways at once ({asked!r:.120})", f"one of {', '.join(POOLING_MODES)}")
    theirs = {_THEIR_NAMES.get(mode, mode): mode for mode in POOLING_MODES}
    if names[0] not in theirs:
        raise _refused(place, f"pools by {names[0]!r:.80}", f"one of {', '.join(POOLING_MODES)}")
    width = config.get("embedding_dimension", config.get("word_embedding_dimension", hidden_width))
    if width != hidden_width:
        raise _refused(place, f"pools vectors of width {width!r:.40}", f"{hidden_width}, as the network gives them")
    return theirs[names[0]], config.get("include_prompt") is not False


def _unit_length(module: _Module, source: str) -> UnitLength:
    _require_vectors(module, module.config(source))
    return UnitLength()


def _require_vectors(module: _Module, config: Mapping[str, Any]) -> None:
    for name in ("module_input_name", "module_output_name"):
        if config.get(name) not in _FIELDS_OF_VECTORS:
            raise _refused(Path(module.path), f"has {name} {config[name]!r:.80}", "sentence_embedding")


def _projection(module: _Module, source: str, width: int) -> Projection:
    where = Path(module.path)
    if module.kind != "Dense":
        raise _refused(where, f"is a module {module.kind}", f"Dense, Normalize or Dropout after pooling; {_PLAIN}")
    config = module.config(source)
    _require_vectors(module, config)
    if config.get("use_residual"):
        raise _refused(where, "adds its input to its output (use_residual)", f"a Dense without that; {_PLAIN}")
    activation = str(config.get("activation_function", "torch.nn.modules.activation.Tanh"))
    name = activation.rpartition(".")[2]
    if not activation.startswith("torch.nn.") or name not in _ACTIVATIONS:
        raise _refused(where, f"has the activation {activation!r:.80}", f"one of {', '.join(_ACTIVATIONS)}")
    file = find_file(source, f"{module.path}/{_WEIGHTS}")
    if file is None:
        pickle = (
            f"only {_PICKLE}, a pickle, which can run code"
            if find_file(source, f"{module.path}/{_PICKLE}")
            else "no weights"
        )
        raise _refused(where, f"holds {pickle}", f"{_WEIGHTS} ({_ANEW})")
    stored, n_out = tensors_in(file), config.get("out_features")
    if type(n_out) is not int or not 1 <= n_out <= MAX_WIDTH:
        raise _refused(where, f"has out_features {n_out!r:.40}", f"an integer up to {MAX_WIDTH:,}")
    expected = {"linear.weight": (n_out, width), **({"linear.bias": (n_out,)} if config.get("bias", True) else {})}
    if {tensor: entry.shape for tensor, entry in stored.items()} != expected:
        raise _refused(where, f"holds {sorted((n, e.shape) for n, e in stored.items())!r:.200}", f"{expected}")
    tensors = {tensor: stored[tensor].read().float() for tensor in expected}
    return Projection(tensors["linear.weight"], tensors.get("linear.bias"), _ACTIVATIONS[name]())


def _prompts(source: str) -> tuple[dict[str, str], str | None]:
    """All prompts by name, and the one that stands before every text."""
    found = find_file(source, _PROMPTS)
    config = {} if found is None else read_object(found)
    prompts, default = config.get("prompts") or {}, config.get("default_prompt_name")
    sound = isinstance(prompts, dict) and all(isinstance(prompt, str) for prompt in prompts.values())
    if found is not None and (not sound or (default is not None and default not in prompts)):
        raise _refused(
            found, f"has the default prompt {default!r:.40} of {prompts!r:.120}", "the name of one of its prompts"
        )
    return prompts, None if default is None else prompts[default]


def _max_length(source: str, tokenizer: PreTrainedTokenizerBase) -> int | None:
    """The longest text in tokens, by the folder or by its tokenizer.

    Raises:
        CorruptBackbone: Texts are put into small letters first, and the tokenizer does not do that itself.
    """
    found = find_file(source, _READING)
    config = {} if found is None else read_object(found)
    if config.get("do_lower_case") and tokenizer("Ab")["input_ids"] != tokenizer("ab")["input_ids"]:
        raise _refused(
            Path(_READING), "puts texts into small letters (do_lower_case)", f"a tokenizer that does ({_ANEW})"
        )
    longest = config.get("max_seq_length") or tokenizer.model_max_length
    if type(longest) is not int or longest < 1:
        raise _refused(Path(_READING), f"has max_seq_length {longest!r:.40}", "a number of tokens")
    return longest


def _refused(place: Path, found: str, right: str) -> CorruptBackbone:
    return CorruptBackbone(
        f"the sentence-embedding folder's {place.name or _MODULES} {found}; read is {right}. Its vectors would be "
        "others without it, so it is not left out."
    )
