"""`adaptkit demo`: train, save, reload and test an adapter on the sample, and print what it was worth."""

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from adaptkit.cli.answer import Answer
from adaptkit.data import sample
from adaptkit.languages import canonical_tag, language_name
from adaptkit.requests import LanguageRequest, Output, Run
from adaptkit.scores import paired_difference
from adaptkit.terminal.console import PlainConsole

if TYPE_CHECKING:
    from adaptkit.model import AdaptedModel

_out = PlainConsole()


def demo(
    lang: Annotated[str, typer.Option(help="a language of the sample: sw, ha or yo")] = "sw",
    output: Annotated[Path | None, typer.Option(help="folder for the adapter (default: a temporary one)")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with a demo that was stopped, with --output")] = False,
    max_steps: Annotated[int | None, typer.Option(help="training steps (default: by the size of the text)")] = None,
) -> Answer:
    """Train, save, reload and test an adapter on the sample."""
    from adaptkit.model import load_model
    from adaptkit.recipes.train import train
    from adaptkit.storage import load_adapter

    language = canonical_tag(lang)
    with tempfile.TemporaryDirectory() as scratch:
        model = load_model()
        pairs = sample.sample_pairs(language)
        request = LanguageRequest(
            lang=language,
            parallel=pairs,
            source_lang="en",
            backbone=model,
            run=Run(max_steps=max_steps),
            output=Output(output, resume=resume),
        )
        folder = output or Path(scratch) / language
        trained = train(request)
        if output is None:
            trained.save(folder)
        adapter = load_adapter(folder)
        model.attach(adapter)
        facts, table = _measured(model, language, adapter.id)
    explained = (
        "The interval says how far off the gain may be on so few sentences. Where it reaches zero, the verdict is "
        "'no evidence': the adapter may well help, and this test is too small to tell."
    )
    kept = f"The adapter is in {folder}." if output else "It was in a temporary folder; --output FOLDER keeps it."
    last = f"{kept} It is a demonstration on {len(pairs)} sentences; train on your own text for real use."
    return Answer(facts, partial(_show, table, explained, last))


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
    for column in ("bare", "adapted", "gain", "95 % interval", "verdict"):
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
