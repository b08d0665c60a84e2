"""The commands. Each one is a call of the Python package and what it prints."""

import sys
import time
from dataclasses import fields
from inspect import signature as inspect_signature
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.text import Text

from adaptkit.backbones import embedded
from adaptkit.cli.demo import demo
from adaptkit.cli.evaluation import evaluate, predict
from adaptkit.cli.options import request_options
from adaptkit.cli.wording import in_shell_words
from adaptkit.cli.zoo import diff, list_adapters, sign_place, write_index
from adaptkit.composition import Stack
from adaptkit.errors import AdaptkitError, ConfigError, DivergedTraining, ProcessFailed, TrainingInterrupted
from adaptkit.format.card import card_gaps
from adaptkit.format.folder import Folder
from adaptkit.format.spec import INDEX_FILE, RECORD_FILE, SIGNATURE_FILE
from adaptkit.interchange import (
    ForClass,
    export_onnx,
    export_peft,
    import_adapterhub,
    import_peft,
    pull_adapter,
    push_adapter,
    written_by,
)
from adaptkit.interchange.onnx import MODEL_FILE
from adaptkit.model import AdaptedModel, load_model
from adaptkit.recipes import TrainingRequest, estimate_adapter
from adaptkit.recipes.train import train
from adaptkit.storage import Zoo, load_adapter
from adaptkit.storage.zoo import LoadableListing
from adaptkit.terminal.console import PlainConsole
from adaptkit.terminal.plain_text import one_line
from adaptkit.training.processes import process_index
from adaptkit.verification import require_signature
from adaptkit.verification import verify as verify_adapter
from adaptkit.version import __version__
from adaptkit.weights.merge import merge

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
    {entry.name for entry in fields(TrainingRequest)}
    | set(inspect_signature(evaluate).parameters)
    | {"without_head", "public", "allow_pickle", "signed_by", "for_class"}
)

FolderArgument = Annotated[Path, typer.Argument(help="folder of an adapter")]


def _print_version(asked: bool) -> None:
    if asked:
        _out.print(__version__)
        raise typer.Exit


@app.callback()
def common(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """Language, domain and task adapters for languages that big models hardly know."""


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
        _fail(error, 128 + error.signal_number)
    except AdaptkitError as error:
        _fail(error, EXIT_ERROR)


_KNOWN_TO_ALL = (DivergedTraining, ProcessFailed, TrainingInterrupted)
"""Of several processes that train together, all end with these, and the main one says it."""

_MAIN_SAYS_IT_S = 5.0


def _fail(error: AdaptkitError, status: int) -> None:
    if process_index():
        # A launcher ends all processes as soon as one has ended: not before the main one has said why, and then only
        # what it does not know.
        time.sleep(_MAIN_SAYS_IT_S)
        if isinstance(error, _KNOWN_TO_ALL):
            sys.exit(status)
    PlainConsole(stderr=True).print(Text(type(error).__name__, "bold red"), end=": ")
    _say(in_shell_words(str(error), _OPTIONS))
    sys.exit(status)


def _say(message: str) -> None:
    PlainConsole(stderr=True).print(message)


def _train(request: TrainingRequest) -> None:
    """Train a language, domain or task adapter and save it."""
    adapter = train(request)
    if process_index():
        return
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


_OF_A_RUN = frozenset(
    {"output", "overwrite", "resume", "resume_or_start", "checkpoint_every", "checkpoint_minutes", "progress"}
)
app.command("train")(request_options(_train))
app.command("estimate")(request_options(_estimate, left_out=_OF_A_RUN))
app.command("demo")(demo)
app.command("evaluate")(evaluate)
app.command("predict")(predict)
app.command("list")(list_adapters)
app.command("index")(write_index)
app.command("sign")(sign_place)
app.command("diff")(diff)


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
    place: Annotated[Path, typer.Argument(help="an adapter, or a folder or archive of adapters")],
    backbone: Annotated[str | None, typer.Option(help="hub id or folder (default: the embedded one)")] = None,
    signed_by: Annotated[Path | None, typer.Option(help="public SSH key of whoever must have signed it")] = None,
) -> None:
    """Check an adapter or a zoo against its index and a backbone: hashes, structure, tokenizer, fingerprint, probes."""
    if signed_by is not None:
        top = Zoo(place).top if place.is_file() else Folder(place)
        _out.print(f"ok  signature: by {require_signature(top, signed_by)}")
    if not place.is_file() and ((place / RECORD_FILE).exists() or not place.is_dir()):
        for check in verify_adapter(place, backbone=backbone):
            _out.print(f"ok  {check}")
        return
    zoo = Zoo(place)
    if not len(zoo):
        raise ConfigError(f"{place} holds no adapter.")
    names = zoo.top.names()
    if SIGNATURE_FILE in names and signed_by is None:
        _out.print("--  signed; say by whom it must be, with --signed-by, to have that checked")
    if INDEX_FILE in names or SIGNATURE_FILE in names:
        zoo.check()
        _out.print(f"ok  {INDEX_FILE}: every file is the one that it lists, and no other is there")
    model = load_model(backbone)
    failed = sum(not _verified(listing, model) for listing in zoo)
    _out.print(f"{len(zoo) - failed} of {len(zoo)} adapters are sound, and for {model.backbone.name}")
    if failed:
        raise typer.Exit(EXIT_ERROR)


def _verified(listing: LoadableListing, model: AdaptedModel) -> bool:
    try:
        *_, outputs = verify_adapter(listing.load(), backbone=model)
    except AdaptkitError as error:
        _out.print(f"NO  {one_line(str(listing.files.path))}: {one_line(str(error))}")
        return False
    lacks = "; its card lacks " + ", ".join(gaps) if (gaps := card_gaps(listing.card)) else ""
    _out.print(f"ok  {one_line(str(listing.files.path))}: {outputs}{lacks}")
    return True


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
    folder: Annotated[Path, typer.Argument(help="folder that peft or AdapterHub's adapters saved")],
    lang: Annotated[str, typer.Option(help="language of the text that it was trained on")],
    output: Annotated[Path, typer.Option(help="folder for the adapter")],
    domain: Annotated[
        str | None, typer.Option(help="a domain adapter of this name (default: a language adapter)")
    ] = None,
    backbone: Annotated[str | None, typer.Option(help="hub id or folder (default: the embedded one)")] = None,
    licence: Annotated[str, typer.Option(help="licence of its text, for the card")] = "not stated",
    allow_pickle: Annotated[
        bool, typer.Option("--allow-pickle", help="AdapterHub: read a pickle too, by torch's weights_only reader")
    ] = False,
    without_head: Annotated[
        bool, typer.Option("--without-head", help="leave out a head that was trained with it")
    ] = False,
) -> None:
    """Read an adapter of peft or AdapterHub and save it, with outputs recorded on the backbone that is named.

    Read are LoRAs of peft, and seq_bn, seq_bn_inv and lora of AdapterHub.
    """
    if written_by(folder) == "adapterhub":
        adapter = import_adapterhub(
            folder,
            lang=lang,
            domain=domain,
            backbone=backbone,
            licence=licence,
            allow_pickle=allow_pickle,
            without_head=without_head,
        )
    elif allow_pickle:
        raise ConfigError("allow_pickle=True is for folders of AdapterHub; no pickle of peft is read. Leave it out.")
    else:
        adapter = import_peft(
            folder, lang=lang, domain=domain, backbone=backbone, licence=licence, without_head=without_head
        )
    adapter.save(output)
    _out.print(f"{adapter.id} for {adapter.origin.name} is in {output}")
    _out.print(adapter.card.source, markup=False)


@app.command("export")
def export_adapter(
    folders: Annotated[list[Path], typer.Argument(help="folder of an adapter; for onnx of several, lowest first")],
    output: Annotated[Path, typer.Option(help="folder to write")],
    to: Annotated[Literal["peft", "onnx"], typer.Option(help="the library that is to read it")] = "peft",
    for_class: Annotated[
        ForClass, typer.Option(help="the transformers class that it will be used on (peft)")
    ] = "AutoModel",
    without_head: Annotated[bool, typer.Option("--without-head", help="leave a task's head out (peft)")] = False,
    backbone: Annotated[str | None, typer.Option(help="hub id or folder, for onnx (default: the embedded one)")] = None,
) -> None:
    """Write a LoRA as a folder that peft loads, or a stack as an ONNX model."""
    if to == "onnx":
        if without_head:
            raise ConfigError("an ONNX model of a task is its head's; for vectors, leave the task's adapter out.")
        if for_class != "AutoModel":
            raise ConfigError("an ONNX model is of no transformers class; leave for_class=... out.")
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


@app.command()
def push(
    folder: FolderArgument,
    repo: Annotated[str, typer.Argument(help="owner/name on the hub; made if it is not there, as a private one")],
    public: Annotated[bool, typer.Option("--public", help="everybody may see it")] = False,
    message: Annotated[str | None, typer.Option(help="what the commit says")] = None,
) -> None:
    """Check an adapter and put its four files on a model hub (HF_ENDPOINT), in one commit."""
    pushed = push_adapter(folder, repo, public=public, message=message)
    _out.print(
        f"{pushed.adapter.id} is in {repo} ({'public' if pushed.public else 'private'}), revision {pushed.revision}"
    )
    _out.print(f"adaptkit pull {repo} --revision {pushed.revision} --output FOLDER")
    if pushed.adapter.card.licence == "not stated":
        _out.print("its card states no licence, so nobody knows what may be done with it", markup=False)


@app.command()
def pull(
    repo: Annotated[str, typer.Argument(help="owner/name on the hub")],
    revision: Annotated[
        str | None, typer.Option(help="branch, tag or commit (default: the newest on the main branch)")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="folder for the adapter (default: the repository's name)")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace the adapter in the folder")] = False,
) -> None:
    """Fetch an adapter from a model hub (HF_ENDPOINT) and check it. An attempt that broke off is gone on with."""
    pulled = pull_adapter(repo, revision=revision, output=output, overwrite=overwrite)
    place = output or repo.rpartition("/")[2]
    _out.print(f"{pulled.adapter.id} for {pulled.adapter.origin.name} is in {place}", markup=False)
    _out.print(f"revision {pulled.revision}, SHA-256 of the weights {pulled.adapter.weights_sha256}")


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
