"""`adaptkit export`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from adaptkit.cli.answer import Answer
from adaptkit.cli.arguments import choice
from adaptkit.cli.named_stacks import StackZooOption, named_stacks
from adaptkit.composition import Stack
from adaptkit.errors import ConfigError
from adaptkit.format.transformers_classes import ForClass
from adaptkit.terminal.asking import as_typed

if TYPE_CHECKING:
    from adaptkit.model import AdaptedModel

Reader: TypeAlias = Literal["peft", "onnx"]


def export_adapter(
    output: Annotated[Path, typer.Option(help="folder to write")],
    folders: Annotated[
        list[Path] | None, typer.Argument(help="folder of an adapter; of several that are stacked, lowest first")
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
) -> Answer:
    """Write an adapter or a stack for peft, or a stack as ONNX. For peft: LoRAs, or one IA3."""
    from adaptkit.interchange import export_peft, export_peft_stack
    from adaptkit.storage import load_adapter

    given = folders or []
    if bool(given) == (stack is not None):
        raise ConfigError(
            f"name what is written: folders of adapters, or {as_typed(stack=...)} and the {as_typed(zoo=...)} with its "
            "adapters; one of the two."
        )
    if to == "onnx":
        return _write_onnx(given, stack, zoo, backbone, output, for_class=for_class, without_head=without_head)
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


def _write_onnx(
    folders: list[Path],
    stack: str | None,
    zoo: Path | None,
    backbone: str | None,
    output: Path,
    *,
    for_class: ForClass,
    without_head: bool,
) -> Answer:
    from adaptkit.interchange import export_onnx
    from adaptkit.interchange.onnx import MODEL_FILE

    if without_head:
        raise ConfigError("an ONNX model of a task is its head's; for vectors, leave the task's adapter out.")
    if for_class != "AutoModel":
        raise ConfigError(f"an ONNX model is of no transformers class; leave {as_typed(for_class=...)} out.")
    written = export_onnx(*_stacked(folders, stack, zoo, backbone), output)
    facts = {"folder": str(output), "file": MODEL_FILE, "output_error": written.output_error}
    return Answer(facts, f"{MODEL_FILE} is in {output} (output error {written.output_error:.1e})", confirms=True)


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
