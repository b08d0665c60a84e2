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


_shared = later("adaptkit.cli.shared_options", "with_shared_options")


def _made(function: Callable[..., Any], made_by: type[TyperCommand], *, answers: bool = True) -> Any:  # noqa: ANN401 - typer's own click
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(cls=made_by)(_shared()(function, answers=answers))
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
        "Find sentences in two texts that translate each other. They are pairs for train --parallel.",
        _function("mine", "mine"),
    ),
    "choose": (
        "Compare the backbones at hand for a language and a task. The order comes with reasons.",
        _function("choose", "choose"),
    ),
    "demo": (
        "Train, save, reload and test an adapter on the sample. With --adapter, test a finished one.",
        _function("demo", "demo"),
    ),
    "evaluate": (
        "Measure whether language adapters help. In several languages, a task adapter is scored with and without them.",
        _function("evaluate", "evaluate"),
    ),
    "strengths": (
        "Find how strongly an adapter should act below a task. Labelled examples tell.",
        _function("strengths", "strengths"),
    ),
    "predict": (
        "Answer each line of standard input with a task adapter. A line is a JSON string or list, or has tabs.",
        _function("predict", "predict"),
    ),
    "generate": (
        "Continue a prompt with a decoder. One prompt is shown as it is written; many prompts give JSON lines.",
        lambda: _made(later("adaptkit.cli.generate", "generate_flags")()(), PlainCommand),
    ),
    "fill-mask": (
        "Show the most probable tokens for each mask in a text. With --on, adapters act.",
        _function("fill_mask", "fill_mask"),
    ),
    "encode": (
        "Write the sentence vector of each line. With --on, adapters act; rows are in the order of the lines.",
        _function("encode", "encode"),
    ),
    "explain": (
        "Explain why a head answers as it does. It shows what each word adds, and what each adapter changes.",
        _function("explain", "explain"),
    ),
    "search": (
        "Find the lines of a text nearest in meaning to a query. With --stack, adapters act on both.",
        _function("search", "search"),
    ),
    "serve": (
        "Serve a zoo over HTTP, under any stack of adapters. With OpenAI's embeddings, heads, and a page to try.",
        lambda: _made(later("adaptkit.cli.serve", "serve_flags")()(), PlainCommand, answers=False),
    ),
    "project": (
        "Label named entities through translations. A task adapter finds them in the translations.",
        _function("project", "project"),
    ),
    "project-tags": (
        "Tag parts of speech through translations. A task adapter tags the translations.",
        _function("project_tags", "project_tags"),
    ),
    "translate-words": (
        "Translate labelled examples word by word. Train a task on them beside the originals.",
        _function("translate_words", "translate_words"),
    ),
    "transfer": (
        "Bring a task to another language. All that helps is trained, and measured where you have labels.",
        _function("transfer", "transfer"),
    ),
    "list": (
        "List the adapters in zoos. Tab-separated if it goes to no terminal; broken ones are named on stderr.",
        _function("list_adapters", "list_adapters"),
    ),
    "index": (
        "Write the index of a zoo. It lists every adapter with its facts, and every file with its size and hash.",
        _function("write_index", "write_index"),
    ),
    "sign": (
        "Sign an adapter or a zoo with an SSH key. Others can then check that it is yours.",
        _function("sign", "sign_place"),
    ),
    "diff": (
        "Compare two adapters. Shows config, provenance, scores, and each layer's norm and the cosine between the two.",
        _function("diff", "diff"),
    ),
    "inspect": (
        "Check the structure of an adapter and print its card. Loads no backbone.",
        _function("inspect_adapter", "inspect_adapter"),
    ),
    "verify": (
        "Check that an adapter or zoo is whole and fits. By hashes, structure, tokenizer, and probes on the backbone.",
        _function("verify", "verify"),
    ),
    "merge": (
        "Fold LoRA, DoRA and IA3 adapters into a backbone. The copy is an ordinary folder of transformers.",
        _function("merge", "merge_adapters"),
    ),
    "import": (
        "Import an adapter from peft or AdapterHub. Its outputs on the named backbone are recorded with it.",
        _function("import_adapter", "import_adapter"),
    ),
    "export": (
        "Export adapters for peft, or as ONNX. One ONNX graph can take many LoRAs, each in a file beside it.",
        _function("export_adapter", "export_adapter"),
    ),
    "push": (
        "Check an adapter and upload it to a hub (HF_ENDPOINT). Its four files go there in one commit.",
        _function("push", "push"),
    ),
    "pull": (
        "Download and check an adapter of a hub (HF_ENDPOINT). An interrupted download resumes.",
        _function("pull", "pull"),
    ),
    "backbone": ("The embedded backbones.", _group("backbone", "backbone_app")),
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
