"""Which tensors of a peft folder are layers on the backbone, and which belong to a head on top of it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from adaptkit.errors import MalformedConfig, NotConvertible
from adaptkit.format import spec
from adaptkit.interchange.module_names import unwrapped
from adaptkit.terminal.asking import as_typed
from adaptkit.terminal.plain_text import one_line

Part: TypeAlias = Literal["lora_A", "lora_B", "lora_magnitude_vector", "ia3_l"]
# A state dict that was not saved by peft has the adapter's name too.
_LAYER = re.compile(r"(?P<module>[\w.]+)\.(?P<part>lora_A|lora_B|lora_magnitude_vector|ia3_l)(\.default)?(\.weight)?")
_POOLER = "pooler."
_MOST_NAMES = 8


@dataclass(frozen=True)
class PeftTensors:
    """Names of tensors: of layers by module of the bare backbone and part, and of what lies outside of it.

    `outside` are the modules of a head, by the name of the tensor.
    """

    layers: Mapping[str, Mapping[str, str]]
    outside: Mapping[str, str]

    @property
    def head(self) -> str:
        """The modules of the head, for messages."""
        names = list(dict.fromkeys(self.outside.values()))
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        return ", ".join(one_line(name, at_most=120) for name in names[:_MOST_NAMES]) + more

    @classmethod
    def of(cls, names: Iterable[str], modules: Iterable[str], file: Path) -> "PeftTensors":
        """Sort the names in a file. `modules` are the linear layers in the blocks of the bare backbone.

        In a class with a head, all paths of the backbone begin with the name that it has there.

        Raises:
            MalformedConfig: Nothing acts on a module of this backbone, or something on one that it does not have.
            NotConvertible: A tensor that is no part of a layer that is read, inside the backbone.
        """
        ours = frozenset(modules)
        paths = {name: _path_in_network(name, file) for name in names}
        if not paths:
            raise MalformedConfig(file, "holds no tensors.")
        start = _start(paths, ours, file)
        layers: dict[str, dict[str, str]] = {}
        outside: dict[str, str] = {}
        for name, path in paths.items():
            found = _LAYER.fullmatch(path)
            module = found["module"] if found else path.rpartition(".")[0]
            inside = module.removeprefix(start)
            if not module.startswith(start) or f"{inside}.".startswith(_POOLER):
                outside[name] = module
            elif found is None:
                raise _no_layer(name, file)
            elif inside not in ours:
                raise MalformedConfig(file, _elsewhere(module))
            elif found["part"] in layers.setdefault(inside, {}):
                raise MalformedConfig(file, f"has {found['part']} of {inside} twice, under two names.")
            else:
                layers[inside][found["part"]] = name
        return cls(layers, outside)


def paths_of_module(tensor: str) -> tuple[str, str]:
    """The path of a LoRA's module in the network, and the same with what wraps parts of it."""
    wrapped = tensor.partition(spec.PEFT_PREFIX)[2].partition(".lora_")[0]
    return unwrapped(wrapped), wrapped


def _path_in_network(name: str, file: Path) -> str:
    whole = unwrapped(name)
    if not whole.startswith(spec.PEFT_PREFIX):
        raise _no_layer(name, file)
    return unwrapped(whole.removeprefix(spec.PEFT_PREFIX))


def _start(paths: Mapping[str, str], ours: frozenset[str], file: Path) -> str:
    """What comes before the backbone's own paths, such as `bert.`; nothing where it has no head."""
    modules = [found["module"] for path in paths.values() if (found := _LAYER.fullmatch(path))]
    if not modules:
        raise _no_layer(next(iter(paths)), file)
    starts = {module.removesuffix(inside) for module in modules if (inside := _ours_in(module, ours))}
    if not starts:
        raise MalformedConfig(file, _elsewhere(modules[0]))
    if len(starts) > 1:
        one, other, *_ = sorted(starts)
        raise MalformedConfig(
            file,
            f"acts on two networks, under the names {one[:120]!r} and {other[:120]!r}. Save each of them in a folder "
            "of its own.",
        )
    return starts.pop()


def _ours_in(module: str, ours: frozenset[str]) -> str | None:
    """The longest end of a path that is a module of ours."""
    while module not in ours:
        _, dot, module = module.partition(".")
        if not dot:
            return None
    return module


def _no_layer(name: str, file: Path) -> NotConvertible:
    return NotConvertible(f"{file} has the tensor {name[:120]!r}, which is no LoRA or IA3 of a linear layer.")


def _elsewhere(module: str) -> str:
    return (
        f"acts at {module[:120]}, which is not a linear layer in a block of this backbone. Name the backbone it was "
        f"trained on ({as_typed(backbone=...)})."
    )
