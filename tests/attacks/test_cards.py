"""Texts of a stranger in names, sources, licences and labels: what is refused, and what is shown of the rest."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

import adaptkit as library
from adaptkit.data.survey import SharedLines
from adaptkit.data.tasks import TaskData
from adaptkit.errors import AdapterFileError, AdaptkitError, ConfigError, MalformedConfig, TokenizerMismatch
from adaptkit.evaluation.report.html import render_html
from adaptkit.evaluation.report.markdown import render_markdown
from adaptkit.format import card as card_module
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import Card, Evaluation
from adaptkit.format.card_sources import SourceFacts
from adaptkit.format.spec import CONFIG_FILE, RECORD_FILE
from adaptkit.interchange import import_peft
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter, load_adapter
from adaptkit.task_types import HeadConfig, LabelledText
from adaptkit.terminal.plain_text import is_one_line, markdown_text, one_line, printable
from tests.adapters import random_adapter
from tests.calls import QUIET, train_adapter
from tests.facts import FACTS
from tests.hostile import get, header_and_data, put, put_weights, tensor_file
from tests.hostile_texts import HOSTILE, MEANT, MISLEADING, STEERING

Command = Callable[..., Any]
SHOWN = {**MISLEADING, **MEANT}
"""What a reader takes, and shows as text."""
SOURCE = SourceFacts(
    name="verses",
    languages="en to sw",
    licence="CC0-1.0",
    lines=3,
    sha256="ab",
    weight=1.0,
    share=0.5,
    median_words=4.0,
    p90_words=9.0,
    full_sentences=1.0,
)
CARD = Card(
    source="text",
    sources=(SOURCE, replace(SOURCE, name="news")),
    shared=(SharedLines(0, 1, 2),),
    training=FACTS,
    evaluations=(Evaluation(task="topics", metric="accuracy", n_examples=9, score_without=1.0, score_with=2.0),),
)
TEXTS = [
    *("card.source", "card.licence", "card.text_kind", "card.adaptkit_version", "backbone.name", "backbone.release"),
    *("card.training.objective", "card.training.stopped_because", "card.training.settings.lang"),
    *("card.evaluations.0.task", "card.evaluations.0.metric"),
    *("card.sources.0.name", "card.sources.0.languages", "card.sources.0.licence", "card.sources.0.sha256"),
]


@pytest.fixture
def carded(adapter: Adapter, tmp_path: Path) -> Path:
    """A folder with a text in every field of the card."""
    return replace(adapter, card=CARD).save(tmp_path / "zoo" / "sw")


def with_texts(folder: Path, text: str) -> Path:
    for field in TEXTS:
        put(folder, RECORD_FILE, field, text)
    return folder


def with_head(model: AdaptedModel, *labels: str) -> Adapter:
    config = AdapterConfig(
        method=LoraConfig(rank=2), head=HeadConfig(task_type="classification", labels=("goats", *labels))
    )
    return random_adapter(model, config, kind="task", name="topics")


def refusal(folder: Path) -> str:
    with pytest.raises(MalformedConfig) as caught:
        load_adapter(folder)
    message = str(caught.value)
    assert printable(message) == message
    assert is_one_line(message)
    return message


@pytest.mark.parametrize("name", STEERING)
def test_a_control_in_any_text_of_the_record_is_refused(name: str, carded: Path) -> None:
    load_adapter(carded)
    sound = (carded / RECORD_FILE).read_bytes()
    for field in [*TEXTS, "name", "language", "below", "kind", "backbone.tokenizer_sha256", "weights_sha256"]:
        put(carded, RECORD_FILE, field, [STEERING[name]] if field == "below" else STEERING[name])
        assert "control character" in refusal(carded), field
        (carded / RECORD_FILE).write_bytes(sound)


@pytest.mark.parametrize("name", STEERING)
@pytest.mark.parametrize("place", ["card.training.settings", "backbone.fingerprint.samples", "card", ""])
def test_a_control_in_the_name_of_a_field_is_refused(name: str, place: str, carded: Path) -> None:
    content = get(carded, RECORD_FILE, place)
    content[STEERING[name]] = [1.0] if "samples" in place else 1
    (carded / RECORD_FILE).write_text(json.dumps(content)) if not place else put(carded, RECORD_FILE, place, content)
    refusal(carded)


@pytest.mark.parametrize("name", STEERING)
def test_a_control_in_a_label_is_refused(name: str, model: AdaptedModel, tmp_path: Path) -> None:
    folder = with_head(model, "rain").save(tmp_path / "topics")
    put(folder, CONFIG_FILE, "head.labels", ["goats", STEERING[name]])
    refusal(folder)
    with pytest.raises(ConfigError, match="label"):
        with_head(model, STEERING[name])


@pytest.mark.parametrize("name", STEERING)
def test_no_adapter_is_written_that_could_not_be_read(name: str, adapter: Adapter, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be saved"):
        replace(adapter, card=Card(licence=STEERING[name])).save(tmp_path / "sw")
    assert not (tmp_path / "sw").exists()


@pytest.mark.parametrize("name", HOSTILE)
def test_what_stands_before_every_text_may_be_anything_and_is_told_in_one_line(
    name: str, model: AdaptedModel, folder: Path
) -> None:
    put(folder, RECORD_FILE, "backbone.text_prefix", HOSTILE[name])
    adapter = load_adapter(folder)
    assert adapter.origin.text_prefix == HOSTILE[name]
    with pytest.raises(TokenizerMismatch) as caught:
        model.attach(adapter)
    assert is_one_line(str(caught.value))
    assert len(str(caught.value)) < 5_000


@pytest.mark.parametrize("name", HOSTILE)
def test_no_message_steers_the_terminal(name: str, folder: Path, own_folder: Path) -> None:
    text = HOSTILE[name]
    weights = header_and_data(folder)
    spoiled: dict[str, Callable[[], None]] = {
        "a field": lambda: put(folder, CONFIG_FILE, text.replace(".", " ") or "x", 1),
        "a peft type": lambda: put(folder, CONFIG_FILE, "peft_type", text),
        "a target": lambda: put(folder, CONFIG_FILE, "target_modules", [text]),
        "a tensor": lambda: put_weights(folder, tensor_file({**weights[0], text: weights[0]["__metadata__"]}, b"")),
        "a type": lambda: put_weights(
            folder, tensor_file({entry: {**facts, "dtype": text} for entry, facts in weights[0].items()}, weights[1])
        ),
    }
    for spoil in spoiled.values():
        before = {file.name: file.read_bytes() for file in folder.iterdir()}
        spoil()
        with pytest.raises(AdapterFileError) as caught:
            load_adapter(folder)
        assert is_one_line(str(caught.value))
        assert printable(str(caught.value)) == str(caught.value)
        assert len(str(caught.value)) < 5_000
        for file, content in before.items():
            (folder / file).write_bytes(content)
    put(own_folder, CONFIG_FILE, "method", text)
    refusal(own_folder)
    put(own_folder, CONFIG_FILE, text.replace(".", " ") or "x", text)
    refusal(own_folder)


@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_peft_folder_says_of_its_backbone_is_one_line(name: str, model: AdaptedModel, folder: Path) -> None:
    (folder / RECORD_FILE).unlink()
    put(folder, CONFIG_FILE, "base_model_name_or_path", HOSTILE[name])
    source = import_peft(folder, lang="sw", backbone=model).card.source
    assert one_line(source) == source
    assert len(source) < 300
    put(folder, CONFIG_FILE, HOSTILE[name].replace(".", " ") or "x", True)
    with pytest.raises(AdaptkitError) as caught:
        import_peft(folder, lang="sw", backbone=model)
    assert printable(str(caught.value)) == str(caught.value)
    assert len(str(caught.value)) < 5_000


def test_a_licence_of_two_lines_is_refused_before_anything_is_read(model: AdaptedModel, folder: Path) -> None:
    with pytest.raises(ConfigError, match="licence"):
        import_peft(folder, lang="sw", backbone=model, licence="mit\n---")
    with pytest.raises(ConfigError, match="licence"):
        train_adapter(lang="sw", text="no-such-file.txt", licence="mit\x1b[2J")


_TAKEN_AS_THEY_ARE = {*MISLEADING, "a script", "an image", "a comment"}


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.found.add(tag)


@pytest.mark.parametrize("name", SHOWN)
def test_the_front_matter_says_what_the_adapter_is_whatever_its_texts_say(name: str, carded: Path) -> None:
    plain = _front_matter(load_adapter(carded).render_card())
    hostile = _front_matter(load_adapter(with_texts(carded, SHOWN[name])).render_card())
    assert hostile["library_name"] == "adaptkit"
    for fact in ("tags", "language"):
        assert hostile[fact] == plain[fact]
    assert hostile.keys() <= {*plain, "license", "license_name", "base_model"}
    if "license_name" in hostile:
        assert one_line(hostile["license_name"]) == one_line(SHOWN[name])


def _front_matter(card: str) -> dict[str, Any]:
    start, content, _ = card.split("---\n", 2)
    assert start == ""
    parsed: dict[str, Any] = yaml.safe_load(content)
    return parsed


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name,
            marks=pytest.mark.xfail(
                not hasattr(card_module, "CardSubject") and name in _TAKEN_AS_THEY_ARE,
                reason="the card takes texts as they are",
                strict=True,
            ),
        )
        for name in SHOWN
    ],
)
def test_the_card_has_one_title_and_no_html(name: str, carded: Path) -> None:
    card = load_adapter(with_texts(carded, SHOWN[name])).render_card()
    assert printable(card) == card
    body = card.split("---\n", 2)[2]
    outside = re.sub(r"(?ms)^```python$.*?^```$", "", body)
    assert [line for line in outside.splitlines() if line.startswith("# ")] == ["# language/sw"]
    tags = Tags()
    tags.feed(outside)
    assert tags.found == set()
    assert "<!--" not in outside


def without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.mark.parametrize("name", SHOWN)
def test_inspect_and_list_print_text(name: str, carded: Path, adaptkit: Command) -> None:
    sound = adaptkit("list", carded.parent).out
    with_texts(carded, SHOWN[name])
    shown, listed = adaptkit("inspect", carded), adaptkit("list", carded.parent)
    for outcome in (shown, listed):
        assert outcome.status == 0, outcome.err
        assert printable(outcome.out) == outcome.out
    rows = listed.out.splitlines()
    assert len(rows) == len(sound.splitlines()) == 2
    assert rows[1].count("\t") == rows[0].count("\t")
    assert one_line(SHOWN[name]) in rows[1].split("\t")


@pytest.mark.parametrize("name", SHOWN)
def test_a_table_on_a_terminal_is_text_too(
    name: str, carded: Path, adaptkit: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    outcome = adaptkit("list", with_texts(carded, SHOWN[name]).parent)
    assert outcome.status == 0, outcome.err
    assert "language/sw" in outcome.out
    written = without_colours(outcome.out)
    assert printable(written) == written


@pytest.mark.parametrize(
    "name", ["markup of rich", "markup of rich that is none", "a word turned round", "an emoji code"]
)
def test_verify_prints_text(name: str, carded: Path, adaptkit: Command, backbone_folder: Path) -> None:
    put(carded, RECORD_FILE, "backbone.name", SHOWN[name])
    put(carded, RECORD_FILE, "backbone.shape.n_blocks", 3)
    outcome = adaptkit("verify", carded, "--backbone", backbone_folder)
    assert outcome.status == 1
    assert printable(outcome.out + outcome.err) == outcome.out + outcome.err
    assert outcome.err


def test_a_forged_line_in_a_tensor_name_is_no_line(carded: Path, adaptkit: Command, backbone_folder: Path) -> None:
    header, data = header_and_data(carded)
    name = next(entry for entry in header if entry != "__metadata__")
    put_weights(carded, tensor_file({f"\nok  {carded}: all is well\x1b[8m": header.pop(name), **header}, data))
    outcome = adaptkit("verify", carded.parent, "--backbone", backbone_folder)
    assert outcome.status == 1
    assert [line[:2] for line in outcome.out.splitlines()] == ["NO", "0 "]
    assert printable(outcome.out) == outcome.out


def test_a_folder_whose_name_steers(carded: Path, adaptkit: Command, backbone_folder: Path) -> None:
    zoo = carded.parent
    carded.rename(zoo / "s\x1b[2J\nok w[bold]")
    for command in (("list", zoo), ("verify", zoo, "--backbone", backbone_folder), ("inspect", zoo / "\x1b]0;x\x07")):
        outcome = adaptkit(*command)
        assert printable(outcome.out + outcome.err) == outcome.out + outcome.err
    assert len(adaptkit("list", zoo).out.splitlines()) == 2
    assert len(adaptkit("verify", zoo, "--backbone", backbone_folder).out.splitlines()) == 2


def structure(markdown: str) -> list[str]:
    """What a reader of Markdown makes of a page, without its texts."""
    tokens = MarkdownIt("commonmark").enable("table").enable("strikethrough").parse(markdown)
    inside = [token for block in tokens for token in (block, *(block.children or ()))]
    return [token.type for token in inside if token.type not in {"text", "text_special", "entity"}]


@pytest.mark.parametrize("name", SHOWN)
def test_a_card_has_no_link_heading_or_markup_of_a_stranger(name: str, carded: Path) -> None:
    plain, hostile = (
        load_adapter(with_texts(carded, text)).render_card().partition("\n---\n")[2]
        for text in ("plain words", SHOWN[name])
    )
    assert structure(hostile) == structure(plain)


@pytest.mark.parametrize(
    "text",
    [
        "[a](javascript:1)",
        "![a](b)",
        "<javascript:1>",
        "**a** _b_",
        "`a`",
        "- a",
        "1. a",
        "# a",
        "> a",
        ">> a",
        "a -->",
    ],
)
def test_a_text_is_shown_as_it_is_wherever_markdown_has_it(text: str) -> None:
    shown = markdown_text(text)
    for place in ("{}", "- {}", "- it: {}", "a ({}).", "> {}"):
        assert structure(place.format(shown)) == structure(place.format("plain"))
        html = MarkdownIt("commonmark").render(place.format(shown))
        assert text in unescape(html)


@pytest.mark.parametrize("name", SHOWN)
def test_a_report_about_adapters_with_hostile_texts(name: str, model: AdaptedModel, tmp_path: Path) -> None:
    text = SHOWN[name]
    hostile = replace(CARD, source=text, licence=text, training=replace(FACTS, settings={"seed": text}))
    task = replace(with_head(model, text), card=hostile).save(tmp_path / "topics")
    replace(random_adapter(model, AdapterConfig(method=LoraConfig(rank=2))), card=hostile).save(tmp_path / "zoo" / "sw")
    examples = [LabelledText(text="Mbuzi", label="goats"), LabelledText(text="Mvua", label=text)]
    data = TaskData(task_type="classification", examples=examples, labels=("goats", text), description=text)
    report = library.evaluate(
        model,
        task=text[:100],
        adapter=task,
        languages=["sw"],
        compare=["none", "target"],
        data={"sw": data},
        zoo=tmp_path / "zoo",
        source_language="en",
        measuring=QUIET,
    )
    page, markdown = render_html(report.results), render_markdown(report.results)
    assert printable(page) == page
    assert printable(markdown) == markdown
    tags = Tags()
    tags.feed(page)
    assert not tags.found & {"script", "img", "a", "iframe", "link", "b onmouseover"}
    assert "<script" not in markdown
    assert "<img" not in markdown


@pytest.mark.parametrize("name", ["a word turned round", "invisible signs", "a script", "foreign"])
def test_predictions_are_json_that_steers_nothing(
    name: str, tmp_path: Path, adaptkit: Command, backbone_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = library.load_model(backbone_folder)
    labels = (SHOWN[name], f"{SHOWN[name]}!")
    config = AdapterConfig(method=LoraConfig(rank=2), head=HeadConfig(task_type="classification", labels=labels))
    task = random_adapter(backbone, config, kind="task", name="topics").save(tmp_path / "topics")
    monkeypatch.setattr("sys.stdin", _Input(b"Mbuzi anakula.\n"))
    outcome = adaptkit("predict", task, "--backbone", backbone_folder)
    assert outcome.status == 0, outcome.err
    assert printable(outcome.out) == outcome.out
    assert json.loads(outcome.out)["label"] in labels


class _Input:
    def __init__(self, content: bytes) -> None:
        self.buffer = self
        self._content = content

    def read(self) -> bytes:
        return self._content


@pytest.mark.parametrize("shared", [[0, 2], [1, 0], [0, 0], [-1, 1]])
def test_sources_that_are_not_there_share_nothing(shared: list[int], carded: Path) -> None:
    put(carded, RECORD_FILE, "card.shared.0", {"first": shared[0], "second": shared[1], "lines": 2})
    assert "are shared by sources" in refusal(carded)
