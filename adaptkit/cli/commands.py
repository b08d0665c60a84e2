"""The commands by name, each with the sentence that help shows. What one needs is imported when it is called."""

from collections.abc import Callable, Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from adaptkit.cli.plain_command import PlainCommand
from adaptkit.later import later


def _function(module: str, name: str) -> Callable[[], Any]:
    """A command that is a function."""
    function = later(f"adaptkit.cli.{module}", name)
    return lambda: _made(function(), PlainCommand)


def _training(name: str) -> Callable[[], Any]:
    """A command with a flag for every option of a training that is registered when it is called."""
    grouped, flagged = later("adaptkit.cli.grouped", "GroupedCommand"), later("adaptkit.cli.train", name)
    return lambda: _made(flagged()(), grouped())


def _made(function: Callable[..., None], made_by: type[TyperCommand]) -> Any:  # noqa: ANN401 - typer's own click
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(cls=made_by)(function)
    return typer.main.get_command(app)


def _group(module: str, name: str) -> Callable[[], Any]:
    """A command that has commands."""
    app = later(f"adaptkit.cli.{module}", name)
    return lambda: typer.main.get_command(app())


_COMMANDS: dict[str, tuple[str, Callable[[], Any]]] = {
    "train": ("Train a language, domain or task adapter and save it.", _training("train_flags")),
    "estimate": (
        "Look at the text and predict time, memory and size. Trains nothing.",
        _training("estimate_flags"),
    ),
    "mine": (
        "Find sentences of two texts that are translations of each other, for train --parallel.",
        _function("mine", "mine"),
    ),
    "demo": ("Train, save, reload and test an adapter on the sample.", _function("demo", "demo")),
    "evaluate": (
        "Score a task adapter in several languages, with and without language adapters, and report which helped.",
        _function("evaluate", "evaluate"),
    ),
    "predict": (
        "Predict what stands on standard input, a line each: a JSON string or list, or tab-separated; prints JSON "
        "lines.",
        _function("predict", "predict"),
    ),
    "project": (
        "Label sentences in a language by the entities that a task adapter finds in their translations.",
        _function("project", "project"),
    ),
    "list": (
        "List the adapters of zoos; tab-separated where the output is no terminal. Broken ones are named on stderr.",
        _function("list_adapters", "list_adapters"),
    ),
    "index": (
        "Write the index of a zoo: every adapter with its facts, every file with its size and hash.",
        _function("write_index", "write_index"),
    ),
    "sign": (
        "Sign an adapter or a zoo with an SSH key, so that others can tell that it is yours.",
        _function("sign", "sign_place"),
    ),
    "diff": (
        "Compare two adapters: config, provenance, scores, and each layer's norm and the cosine between the two.",
        _function("diff", "diff"),
    ),
    "inspect": (
        "Read an adapter folder, check its structure and print its card. Loads no backbone.",
        _function("inspect_adapter", "inspect_adapter"),
    ),
    "verify": (
        "Check an adapter or a zoo against its index and a backbone: hashes, structure, tokenizer, fingerprint, "
        "probes.",
        _function("verify", "verify"),
    ),
    "merge": (
        "Fold LoRA, DoRA and IA3 adapters into a copy of the backbone and write it as an ordinary transformers folder.",
        _function("merge", "merge_adapters"),
    ),
    "import": (
        "Read an adapter of peft or AdapterHub and save it, with outputs recorded on the backbone that is named.",
        _function("import_adapter", "import_adapter"),
    ),
    "export": (
        "Write a LoRA or an IA3 as a folder that peft loads, or a stack as an ONNX model.",
        _function("export_adapter", "export_adapter"),
    ),
    "push": (
        "Check an adapter and put its four files on a model hub (HF_ENDPOINT), in one commit.",
        _function("push", "push"),
    ),
    "pull": (
        "Fetch an adapter from a model hub (HF_ENDPOINT) and check it. An attempt that broke off is gone on with.",
        _function("pull", "pull"),
    ),
    "backbone": ("The embedded backbone.", _group("backbone", "backbone_app")),
    "version": ("Print the version.", _function("version", "version")),
}


class Commands(TyperGroup):
    """All commands. Until one is called, it is a name with its sentence."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - as typer gives them
        super().__init__(**{**options, "commands": {name: _told(name, text) for name, (text, _) in _COMMANDS.items()}})

    def resolve_command(self, ctx: Any, args: Sequence[str]) -> Any:  # noqa: ANN401 - of the click that typer has
        """The command that is called, made now."""
        name, _, rest = super().resolve_command(ctx, list(args))
        return name, _COMMANDS[str(name)][1](), rest


def _told(name: str, text: str) -> TyperCommand:
    return TyperCommand(name, help=text, rich_markup_mode=None)
