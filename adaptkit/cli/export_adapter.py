"""`adaptkit export`."""

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from adaptkit.cli.arguments import choice
from adaptkit.composition import Stack
from adaptkit.errors import ConfigError
from adaptkit.format.transformers_classes import ForClass
from adaptkit.terminal.asking import as_typed
from adaptkit.terminal.console import PlainConsole

_out = PlainConsole()
Reader: TypeAlias = Literal["peft", "onnx"]


def export_adapter(
    folders: Annotated[list[Path], typer.Argument(help="folder of an adapter; for onnx of several, lowest first")],
    output: Annotated[Path, typer.Option(help="folder to write")],
    to: Annotated[Reader, choice("to", Reader, "the library that is to read it")] = "peft",
    for_class: Annotated[
        ForClass, choice("for_class", ForClass, "the transformers class that it will be used on (peft)")
    ] = "AutoModel",
    without_head: Annotated[bool, typer.Option("--without-head", help="leave a task's head out (peft)")] = False,
    backbone: Annotated[
        str | None, typer.Option(help="hub id, folder or GGUF file, for onnx (default: the embedded one)")
    ] = None,
) -> None:
    """Write an adapter for peft, or a stack as an ONNX model. For peft: a LoRA or an IA3."""
    from adaptkit.interchange import export_onnx, export_peft
    from adaptkit.interchange.onnx import MODEL_FILE
    from adaptkit.model import load_model
    from adaptkit.storage import load_adapter

    if to == "onnx":
        if without_head:
            raise ConfigError("an ONNX model of a task is its head's; for vectors, leave the task's adapter out.")
        if for_class != "AutoModel":
            raise ConfigError(f"an ONNX model is of no transformers class; leave {as_typed(for_class=...)} out.")
        model, adapters = load_model(backbone), [load_adapter(folder) for folder in folders]
        model.attach(*adapters)
        written = export_onnx(model, Stack(*(adapter.id for adapter in adapters)), output)
        _out.print(f"{MODEL_FILE} is in {output} (output error {written.output_error:.1e})")
        return
    if len(folders) > 1 or backbone is not None:
        raise ConfigError("peft reads one adapter a folder, for whatever backbone; name one folder, and no backbone.")
    export_peft(load_adapter(folders[0]), output, for_class=for_class, without_head=without_head)
    _out.print(
        f"PeftModel.from_pretrained(model, {str(output)!r}) loads it, where model is of {for_class}; on a model of "
        "another class it does nothing (--for-class)",
        markup=False,
    )
