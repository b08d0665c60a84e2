"""`adaptkit export`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from adaptkit.cli.answer import Answer
from adaptkit.cli.arguments import choice
from adaptkit.cli.named_stacks import StackZooOption, named_stacks
from adaptkit.composition import Stack
from adaptkit.errors import ConfigError
from adaptkit.format.spec import RECORD_FILE
from adaptkit.format.transformers_classes import ForClass
from adaptkit.terminal.amounts import counted
from adaptkit.terminal.asking import as_typed
from adaptkit.terminal.console import PlainConsole

if TYPE_CHECKING:
    from adaptkit.model import AdaptedModel

_err = PlainConsole(stderr=True)
Reader: TypeAlias = Literal["peft", "onnx", "onnx-backbone", "onnx-adapter"]


def export_adapter(
    output: Annotated[Path, typer.Option(help="folder to write")],
    folders: Annotated[
        list[Path] | None,
        typer.Argument(help="folder of an adapter; of several that are stacked, lowest first; or a zoo (onnx-adapter)"),
    ] = None,
    to: Annotated[Reader, choice("to", Reader, "the library that is to read it")] = "peft",
    stack: Annotated[
        str | None, typer.Option(help="a stack of adapters of a zoo instead, such as 'language/sw > task/nli'")
    ] = None,
    zoo: StackZooOption = None,
    for_class: Annotated[
        ForClass, choice("for_class", ForClass, "the transformers class that it will be used on (peft)")
    ] = "AutoModel",
    without_head: Annotated[bool, typer.Option("--without-head", help="leave a task's head out (peft)")] = False,
    backbone: Annotated[
        str | None, typer.Option(help="hub id, folder or GGUF file, for onnx and for stacks (default: embedded)")
    ] = None,
    name: Annotated[str | None, typer.Option(help="what its file is called (onnx-adapter; default: as it is)")] = None,
) -> Answer:
    """Export adapters for peft, or as ONNX. One ONNX graph can take many LoRAs, each in a file beside it."""
    from adaptkit.interchange import export_peft, export_peft_stack
    from adaptkit.storage import load_adapter

    given = folders or []
    if name is not None and to != "onnx-adapter":
        raise ConfigError(f"{as_typed(name=...)} is of a file beside others ({as_typed(to='onnx-adapter')}).")
    if to == "onnx-backbone":
        _require_bare(given, stack, zoo)
        return _write_backbone(backbone, output, for_class=for_class, without_head=without_head)
    if to == "onnx-adapter" and len(given) == 1 and _is_zoo(given[0]):
        _require_of_onnx(for_class, without_head=without_head)
        return _write_zoo(given[0], backbone, output, name=name, asked=stack is not None or zoo is not None)
    if bool(given) == (stack is not None):
        raise ConfigError(
            f"name what is written: folders of adapters, or {as_typed(stack=...)} and the {as_typed(zoo=...)} with its "
            "adapters; one of the two."
        )
    if to != "peft":
        _require_of_onnx(for_class, without_head=without_head)
        model, named = _stacked(given, stack, zoo, backbone)
        return _write_onnx(model, named, output) if to == "onnx" else _write_beside(model, named, output, name)
    if len(given) == 1:
        if backbone is not None:
            raise ConfigError("peft reads one adapter for whatever backbone; leave the backbone out.")
        export_peft(load_adapter(given[0]), output, for_class=for_class, without_head=without_head)
    else:
        model, named = _stacked(given, stack, zoo, backbone)
        export_peft_stack(model, named, output, for_class=for_class, without_head=without_head)
    told = (
        f"PeftModel.from_pretrained(model, {str(output)!r}) loads it, where model is of {for_class}; on a model of "
        "another class it does nothing (--for-class)"
    )
    return Answer({"folder": str(output), "for_class": for_class}, told, confirms=True)


def _require_of_onnx(for_class: ForClass, *, without_head: bool) -> None:
    if without_head:
        raise ConfigError("an ONNX model of a task is its head's; for vectors, leave the task's adapter out.")
    if for_class != "AutoModel":
        raise ConfigError(f"an ONNX model is of no transformers class; leave {as_typed(for_class=...)} out.")


def _require_bare(folders: list[Path], stack: str | None, zoo: Path | None) -> None:
    if folders or stack is not None or zoo is not None:
        raise ConfigError(
            "a backbone is written without adapters, which are files beside it: write it alone, then each stack with "
            f"{as_typed(to='onnx-adapter')} and the same {as_typed(output=...)}."
        )


def _tell_of_work(model: "AdaptedModel") -> None:
    _err.print(
        f"tracing {model.backbone.name}, writing its graph, and comparing it with the model: about 20 seconds of one "
        "core for the embedded backbone, longer for a larger one or on busy cores ..."
    )


def _write_onnx(model: "AdaptedModel", stack: Stack | None, output: Path) -> Answer:
    from adaptkit.interchange import export_onnx
    from adaptkit.interchange.onnx_file import MODEL_FILE

    _tell_of_work(model)
    written = export_onnx(model, stack, output)
    facts = {"folder": str(output), "file": MODEL_FILE, "output_error": written.output_error}
    return Answer(facts, f"{MODEL_FILE} is in {output} (output error {written.output_error:.1e})", confirms=True)


def _write_backbone(backbone: str | None, output: Path, *, for_class: ForClass, without_head: bool) -> Answer:
    from adaptkit.interchange import export_onnx_backbone
    from adaptkit.interchange.onnx_file import MODEL_FILE
    from adaptkit.model import load_model

    _require_of_onnx(for_class, without_head=without_head)
    model = load_model(backbone)
    _tell_of_work(model)
    written = export_onnx_backbone(model, output)
    facts = {"folder": str(output), "file": MODEL_FILE, "output_error": written.output_error}
    told = f"{MODEL_FILE} is in {output} (output error {written.output_error:.1e}), and takes adapters"
    return Answer(facts, told, confirms=True)


def _is_zoo(place: Path) -> bool:
    return place.is_file() or (place.is_dir() and not (place / RECORD_FILE).exists())


def _write_zoo(zoo: Path, backbone: str | None, output: Path, *, name: str | None, asked: bool) -> Answer:
    from adaptkit.interchange import export_onnx_zoo
    from adaptkit.model import load_model

    if asked or name is not None:
        raise ConfigError(
            f"{zoo} holds no adapter itself, so all in it are written, each under its own name; leave "
            f"{as_typed(stack=...)}, {as_typed(zoo=...)} and {as_typed(name=...)} out, or name one adapter."
        )
    found = export_onnx_zoo(load_model(backbone), zoo, output, told=_err.print)
    facts = {
        "folder": str(output),
        "written": {
            adapter_id: {"file": each.path.name, "output_error": each.output_error}
            for adapter_id, each in found.written.items()
        },
        "left_out": dict(found.left_out),
    }
    return Answer(facts, _told_of_zoo(found.written, found.left_out, output), confirms=True)


def _told_of_zoo(written: Mapping[str, object], left_out: Mapping[str, str], output: Path) -> str:
    told = f"{counted(len(written), 'adapter')} of {len(written) + len(left_out)} beside the graph in {output}"
    return told + (f"; left out: {', '.join(left_out)}" if left_out else "")


def _write_beside(model: "AdaptedModel", stack: Stack | None, output: Path, name: str | None) -> Answer:
    from adaptkit.interchange import export_onnx_adapter

    written = export_onnx_adapter(model, stack, output, name=name)
    facts = {"folder": str(output), "file": written.path.name, "output_error": written.output_error}
    told = f"{written.path.name} is in {output} (output error {written.output_error:.1e})"
    return Answer(facts, told, confirms=True)


def _stacked(
    folders: list[Path], stack: str | None, zoo: Path | None, backbone: str | None
) -> "tuple[AdaptedModel, Stack | None]":
    """The model with what is named attached, and the stack of it."""
    from adaptkit.model import load_model
    from adaptkit.storage import load_adapter

    if stack is None and zoo is not None:
        raise ConfigError(f"{as_typed(zoo=...)} goes with {as_typed(stack=...)}; folders are named by themselves.")
    adapters, model = [load_adapter(folder) for folder in folders], load_model(backbone)
    if stack is not None:
        (named,) = named_stacks(model, zoo, stack)
        return model, named
    model.attach(*adapters)
    return model, Stack(*(adapter.id for adapter in adapters))
