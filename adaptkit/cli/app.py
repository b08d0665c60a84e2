"""The commands. Each one is a call of the Python package and what it prints."""

import sys
from dataclasses import fields
from inspect import signature as inspect_signature
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.text import Text

from adaptkit.backbones import embedded
from adaptkit.cli.demo import demo
from adaptkit.cli.evaluation import evaluate, list_adapters, predict
from adaptkit.cli.options import request_options
from adaptkit.cli.wording import in_shell_words
from adaptkit.composition import Stack
from adaptkit.console import PlainConsole
from adaptkit.errors import AdaptkitError, ConfigError, TrainingInterrupted
from adaptkit.interchange import export_peft, import_peft
from adaptkit.merging import merge
from adaptkit.model import load_model
from adaptkit.plain_text import one_line
from adaptkit.recipes import TrainingRequest, estimate_adapter
from adaptkit.recipes.train import train
from adaptkit.storage import load_adapter
from adaptkit.storage.format import RECORD_FILE
from adaptkit.storage.zoo import folders_in
from adaptkit.verification import verify as verify_adapter
from adaptkit.version import __version__

EXIT_ERROR = 1
EXIT_INTERRUPTED = 130

app = typer.Typer(
    name="adaptkit",
    help="Language, domain and task adapters for languages that big models hardly know.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich's help would squeeze the many options into five narrow columns
)
backbone_app = typer.Typer(help="The embedded backbone.", no_args_is_help=True)
app.add_typer(backbone_app, name="backbone")
_out = PlainConsole()

_OPTIONS = frozenset(
    {entry.name for entry in fields(TrainingRequest)} | set(inspect_signature(evaluate).parameters) | {"without_head"}
)

FolderArgument = Annotated[Path, typer.Argument(help="folder of an adapter")]


def main() -> None:
    """Run the command line; an error of ours is one message and exit status 1, not a traceback."""
    try:
        app()
    except SystemExit as end:
        if end.code == EXIT_INTERRUPTED:
            _say(
                "interrupted. What was saved before is as it was. An evaluation with --output goes on from what it has "
                "measured; all else begins again"
            )
        raise
    except TrainingInterrupted as error:
        _fail(error, EXIT_INTERRUPTED)
    except AdaptkitError as error:
        _fail(error, EXIT_ERROR)


def _fail(error: AdaptkitError, status: int) -> None:
    PlainConsole(stderr=True).print(Text(type(error).__name__, "bold red"), end=": ")
    _say(in_shell_words(str(error), _OPTIONS))
    sys.exit(status)


def _say(message: str) -> None:
    PlainConsole(stderr=True).print(message)


def _train(request: TrainingRequest) -> None:
    """Train a language, domain or task adapter and save it."""
    adapter = train(request)
    facts = adapter.card.training
    if facts is not None:
        _out.print(
            f"{adapter.id}: held-out loss {facts.heldout_loss_before:.3f} before, "
            f"{facts.heldout_loss_after:.3f} after; {facts.tokens_per_s:,.0f} tokens/s, "
            f"peak memory {facts.peak_memory_bytes / 2**30:.1f} GiB"
        )
        if facts.heldout_loss_after >= facts.heldout_loss_before:
            _out.print(
                "the adapter changes nothing: the held-out loss was never better than at the start. Train for more "
                "steps, on more text, or at another learning rate"
            )
    if request.output is None:
        _out.print("nothing was saved: give --output FOLDER to keep the adapter")
    else:
        _out.print(f"saved in {request.output} ({adapter.size_bytes / 2**20:.1f} MiB)")


def _estimate(request: TrainingRequest) -> None:
    """Look at the text and predict time, memory and size. Trains nothing."""
    estimate_adapter(request)


app.command("train")(request_options(_train))
app.command("estimate")(request_options(_estimate, left_out=frozenset({"output", "overwrite", "resume", "progress"})))
app.command("demo")(demo)
app.command("evaluate")(evaluate)
app.command("predict")(predict)
app.command("list")(list_adapters)


@app.command()
def inspect(folder: FolderArgument) -> None:
    """Read an adapter folder, check its structure and print its card. Loads no backbone."""
    adapter = load_adapter(folder)
    # Without the front matter, which is for model hubs.
    _out.print(adapter.render_card().partition("\n---\n")[2].strip())
    _out.print(f"structure sound: {len(adapter.tensors)} tensors, {adapter.size_bytes / 2**20:.1f} MiB, ", end="")
    _out.print(f"SHA-256 {adapter.weights_sha256}")
    _out.print(f"backbone fingerprint {adapter.origin.fingerprint.id}", end="")
    _out.print(f", tokenizer {adapter.origin.tokenizer_sha256[:12]}")


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="folder of an adapter, or of adapter folders")],
    backbone: Annotated[str | None, typer.Option(help="hub id or folder (default: the embedded one)")] = None,
) -> None:
    """Check an adapter, or all in a folder, against a backbone. Structure, tokenizer, fingerprint, probes."""
    if (folder / RECORD_FILE).exists() or not folder.is_dir() or not (places := list(folders_in(folder))):
        for check in verify_adapter(folder, backbone=backbone):
            _out.print(f"ok  {check}")
        return
    model, failed = load_model(backbone), 0
    for place in places:
        try:
            *_, outputs = verify_adapter(place, backbone=model)
            _out.print(f"ok  {one_line(str(place))}: {outputs}")
        except AdaptkitError as error:
            failed += 1
            _out.print(f"NO  {one_line(str(place))}: {one_line(str(error))}")
    _out.print(f"{len(places) - failed} of {len(places)} adapters are sound, and for {model.backbone.name}")
    if failed:
        raise typer.Exit(EXIT_ERROR)


@app.command("merge")
def merge_adapters(
    folders: Annotated[list[Path], typer.Argument(help="folders of LoRA adapters, lowest first")],
    output: Annotated[Path, typer.Option(help="folder to write, which must not exist")],
    backbone: Annotated[str | None, typer.Option(help="hub id or folder (default: the embedded one)")] = None,
) -> None:
    """Fold LoRA adapters into a copy of the backbone and write it as an ordinary transformers folder."""
    model, adapters = load_model(backbone), [load_adapter(folder) for folder in folders]
    model.attach(*adapters)
    merged = merge(model, Stack(*(adapter.id for adapter in adapters)), max_error=1e-3)
    merged.save(output)
    _out.print(f"{merged.model.backbone.name} is in {output} (output error {merged.output_error:.1e})")


@app.command("import")
def import_adapter(
    folder: Annotated[Path, typer.Argument(help="folder of a LoRA that peft saved")],
    lang: Annotated[str, typer.Option(help="language of the text that it was trained on")],
    output: Annotated[Path, typer.Option(help="folder for the adapter")],
    domain: Annotated[
        str | None, typer.Option(help="a domain adapter of this name (default: a language adapter)")
    ] = None,
    backbone: Annotated[str | None, typer.Option(help="hub id or folder (default: the embedded one)")] = None,
    licence: Annotated[str, typer.Option(help="licence of its text, for the card")] = "not stated",
) -> None:
    """Read a LoRA of peft and save it as an adapter, with outputs recorded on the backbone that is named."""
    adapter = import_peft(folder, lang=lang, domain=domain, backbone=backbone, licence=licence)
    adapter.save(output)
    _out.print(f"{adapter.id} for {adapter.origin.name} is in {output}")


@app.command("export")
def export_adapter(
    folder: FolderArgument,
    output: Annotated[Path, typer.Option(help="folder to write")],
    to: Annotated[Literal["peft"], typer.Option(help="the library that is to read it")] = "peft",  # noqa: ARG001
    without_head: Annotated[bool, typer.Option("--without-head", help="leave a task's head out")] = False,
) -> None:
    """Write a LoRA as a folder that peft loads."""
    export_peft(load_adapter(folder), output, without_head=without_head)
    _out.print(f"PeftModel.from_pretrained(backbone, {str(output)!r}) loads it")


@backbone_app.command()
def export(folder: Annotated[Path, typer.Argument(help="folder to write, which must not exist")]) -> None:
    """Write the embedded backbone as an ordinary transformers folder."""
    if folder.exists():
        raise ConfigError(f"{folder} exists already; nothing was written. Give another folder.")
    embedded.export(folder)
    _out.print(f"{embedded.NAME} ({embedded.RELEASE}) is in {folder}")


@app.command()
def version() -> None:
    """Print the version."""
    _out.print(__version__)
