"""`adaptkit demo`: what an adapter is worth on the sample, one that is finished or one that it trains first."""

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from adaptkit.cli.answer import Answer
from adaptkit.data import sample
from adaptkit.errors import ConfigError
from adaptkit.languages import canonical_tag, language_name
from adaptkit.requests import LanguageRequest, Output, Run
from adaptkit.scores import paired_difference
from adaptkit.terminal.console import PlainConsole

if TYPE_CHECKING:
    from adaptkit.model import AdaptedModel

_out = PlainConsole()
_EXPLAINED = (
    "The interval says how far off the gain may be on so few sentences. Where it reaches zero, the verdict is "
    "'no evidence': the adapter may well help, and this test is too small to tell."
)


def demo(
    lang: Annotated[
        str | None, typer.Option(help="a language of the sample: sw, ha or yo (default: the adapter's, or sw)")
    ] = None,
    adapter: Annotated[
        Path | None, typer.Option(help="folder of a finished language adapter: test that one, and train nothing")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="folder for the adapter (default: a temporary one)")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="continue a demo that was stopped; needs --output")] = False,
    max_steps: Annotated[int | None, typer.Option(help="training steps (default: by the size of the text)")] = None,
) -> Answer:
    """Train, save, reload and test an adapter on the sample. With --adapter, test a finished one."""
    if adapter is None:
        return _trained(canonical_tag(lang or "sw"), Output(output, resume=resume), max_steps)
    if output is not None or resume or max_steps is not None:
        raise ConfigError(
            "--adapter tests a finished adapter and trains nothing: leave out --output, --resume and --max-steps, or "
            "leave out --adapter to train one."
        )
    return _finished(adapter, lang)


def _finished(folder: Path, lang: str | None) -> Answer:
    """Test an adapter of another day.

    Raises:
        ConfigError: It is not a language adapter.
        SourceNotFound: The sample does not have its language.
    """
    from adaptkit.model import load_model
    from adaptkit.storage import load_adapter

    adapter = load_adapter(folder)
    if not adapter.id.startswith("language/"):
        raise ConfigError(
            f"{folder} is {adapter.id}, and the demo tests language adapters. Give the folder of one, such as "
            "adapters_zoo/multilingual-e5-small/language/sw."
        )
    language = canonical_tag(lang) if lang else adapter.languages[0]
    sample.sample_topics(language, "test")  # before the backbone is read
    model = load_model()
    model.attach(adapter)
    facts, table = _measured(model, language, adapter.id)
    last = f"The adapter is in {folder}; adaptkit inspect prints its card. To train one yourself: adaptkit demo."
    return Answer(facts, partial(_show, table, _EXPLAINED, last))


def _trained(language: str, output: Output, max_steps: int | None) -> Answer:
    from adaptkit.model import load_model
    from adaptkit.recipes.train import train
    from adaptkit.storage import load_adapter

    with tempfile.TemporaryDirectory() as scratch:
        model = load_model()
        pairs = sample.sample_pairs(language)
        request = LanguageRequest(
            lang=language,
            parallel=pairs,
            source_lang="en",
            backbone=model,
            run=Run(max_steps=max_steps),
            output=output,
        )
        folder = output.folder or Path(scratch) / language
        trained = train(request)
        if output.folder is None:
            trained.save(folder)
        adapter = load_adapter(folder)
        model.attach(adapter)
        facts, table = _measured(model, language, adapter.id)
    kept = (
        f"The adapter is in {folder}."
        if output.folder
        else "The adapter was in a temporary folder, which is deleted now; --output FOLDER keeps it."
    )
    last = f"{kept} It is a demonstration on {len(pairs)} sentences; train on your own text for real use."
    return Answer(facts, partial(_show, table, _EXPLAINED, last))


def _show(*parts: Table | str) -> None:
    for part in parts:
        _out.print(part)


def _measured(model: "AdaptedModel", language: str, adapter_id: str) -> tuple[dict[str, object], Table]:
    """Zero-shot topics: a head trained on the sample's English, tested on sentences that were in no training text."""
    from adaptkit.evaluation import TopicHead

    head = TopicHead.trained_on(model, *sample.sample_topics("en", "train"))
    texts, topics = sample.sample_topics(language, "test")
    english = head.correct(model, *sample.sample_topics("en", "test")).mean()
    without = head.correct(model, texts, topics)
    with_adapter = head.correct(model, texts, topics, stack=adapter_id)
    gain = paired_difference(with_adapter, without)
    table = Table(title=f"Topic of {len(texts)} unseen sentences, head trained on English only (accuracy, %)")
    table.add_column("tested on", no_wrap=True)
    for column in ("without", "with", "gain", "95 % interval", "verdict"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_row("English", f"{100 * english:.1f}", "", "", "", "")
    table.add_row(
        language_name(language),
        f"{100 * without.mean():.1f}",
        f"{100 * with_adapter.mean():.1f}",
        f"{gain.mean:+.1f}",
        f"{gain.low:+.1f} to {gain.high:+.1f}",
        gain.verdict,
    )
    facts = {
        "language": language,
        "examples": len(texts),
        "english": 100 * float(english),
        "bare": 100 * float(without.mean()),
        "adapted": 100 * float(with_adapter.mean()),
        "gain": {"mean": gain.mean, "low": gain.low, "high": gain.high, "verdict": gain.verdict},
    }
    return facts, table
