"""The card: where an adapter comes from and what it was seen to do. Written for people, kept as data."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from adaptkit.data.letters import NORMAL_FORMS, NormalForm
from adaptkit.data.licences import combined
from adaptkit.data.survey import SharedLines
from adaptkit.format.card_sources import SourceFacts, check_sources, source_lines
from adaptkit.format.typed_json import since
from adaptkit.methods import METHODS, PIECES
from adaptkit.objectives import OBJECTIVES
from adaptkit.regularisers import REGULARISERS
from adaptkit.terminal import plain_text
from adaptkit.terminal.amounts import counted


@dataclass(frozen=True, kw_only=True)
class TrainingFacts:
    """What a training run did. Times in seconds, memory in bytes; `watts` is an assumption, or None."""

    objective: str
    steps: int
    tokens: int
    elapsed_s: float
    tokens_per_s: float
    peak_memory_bytes: int
    heldout_loss_before: float
    heldout_loss_after: float
    pseudo_perplexity_before: float | None
    pseudo_perplexity_after: float | None
    stopped_because: str
    settings: Mapping[str, str | float | int | bool | None] = field(default_factory=dict)
    hardware: str = since(4, "")
    watts: float | None = since(4, None)

    @property
    def kept_the_start(self) -> bool:
        """Whether no weights were better than those of the start, which change nothing: they are the adapter's."""
        return not self.heldout_loss_after < self.heldout_loss_before


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One score with its comparison: the same test without the adapter.

    `low` and `high` bound the difference (95 %). `conditions` says in words what else was as it was: what was trained
    on what, what the candidates were, and so on.
    """

    task: str
    metric: str
    n_examples: int
    score_without: float
    score_with: float
    low: float | None = since(4, None)
    high: float | None = since(4, None)
    conditions: str = since(4, "")


@dataclass(frozen=True, kw_only=True)
class LanguageLines:
    """One of the languages (canonical tag) of an adapter for several, and the lines of its text."""

    language: str
    n_lines: int


@dataclass(frozen=True, kw_only=True)
class Card:
    """Provenance of an adapter. `text_kind` is `sample` when it was trained on the package's own small sample.

    `n_lines` and `n_tokens` are those of its text, with prefix and special tokens, and `text_sha256` is the hash of
    those tokens; it is empty where the text is private. `losses` says in a sentence each what was cut or left out.
    `languages` are those of an adapter for several, and empty where it is for one.
    `sources` are those of a mix of texts, and `shared` says how many lines two of them have in common.
    """

    source: str = ""
    text_kind: str = "corpus"
    n_lines: int = 0
    licence: str = "not stated"
    adaptkit_version: str = ""
    private: bool = False
    training: TrainingFacts | None = None
    evaluations: tuple[Evaluation, ...] = ()
    n_tokens: int = since(4, 0)
    text_sha256: str = since(4, "")
    losses: tuple[str, ...] = since(5, ())
    languages: tuple[LanguageLines, ...] = since(6, ())
    sources: tuple[SourceFacts, ...] = since(7, ())
    shared: tuple[SharedLines, ...] = since(7, ())

    def __post_init__(self) -> None:
        check_sources(self.sources, self.shared)


@dataclass(frozen=True, kw_only=True)
class CardSubject:
    """Whose card it is: facts of the adapter that stand elsewhere in its folder.

    `languages` says in words what each of `language_tags` is. `hub_id` is the backbone's, empty where it has none.
    `n_predicted` are the tokens of a kept projection, 0 where none was kept.
    """

    adapter_id: str
    method: str
    head: str
    below: tuple[str, ...]
    language_tags: tuple[str, ...]
    languages: tuple[str, ...]
    backbone: str
    release: str
    fingerprint: str
    hub_id: str
    n_parameters: int
    weights_sha256: str
    n_pieces: int = 0
    n_predicted: int = 0


_USES = {
    "language": "Put it below a task adapter, or alone for sentence vectors, on text in its language.",
    "domain": "Put it between a language and a task adapter, or alone for sentence vectors, on text of its domain.",
    "task": "Put it on top of a stack: below it may lie the adapter of the language that is asked in.",
}
# What model hubs call licences; anything else is `other` there, with its name beside.
_HUB_LICENCES = {
    *("apache-2.0", "mit", "cc0-1.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-4.0"),
    *("cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "odbl", "pddl", "unlicense", "bsd-3-clause"),
}


def render_card(subject: CardSubject, card: Card) -> str:
    """The card as the Markdown of README.md, with the front matter that model hubs read."""
    sections = [
        _front_matter(subject, card),
        f"# {subject.adapter_id}",
        f"{_a(subject.method)} adapter of {subject.n_parameters:,} parameters for the frozen backbone "
        f"{one_line(subject.backbone)} ({one_line(subject.release)}, fingerprint {subject.fingerprint}).",
        *(
            [
                "**Trained on the small sample that comes with adaptkit**: it shows how things work and is no adapter "
                "for real use. Train on your own text for that."
            ]
            if card.text_kind == "sample"
            else []
        ),
        "\n".join(_facts(subject, card)),
        *source_lines(card.sources, card.shared),
        *_scores(card),
        _use(subject),
        "\n".join(_limits(card)),
        "\n".join(_citation(subject, card)),
    ]
    return "\n\n".join(sections) + "\n"


def _a(method: str) -> str:
    return f"An {method}" if method[0] in "aeio" else f"A {method}"


def languages_of(language: str | None, card: Card) -> tuple[str, ...]:
    """The languages of an adapter with this card: the one that it is for, or those of one for several."""
    return tuple(entry.language for entry in card.languages) if language is None else (language,)


def normal_form(card: Card) -> NormalForm | None:
    """The form of Unicode that the text was read in (`normalize`); None where it was read as it was."""
    stated = None if card.training is None else card.training.settings.get("normalize")
    return next((form for form in NORMAL_FORMS if form == stated), None)


def card_gaps(card: Card) -> list[str]:
    """What a card should say of an adapter that is passed on, and does not."""
    said = {
        "the source of its text": bool(card.source) or card.private,
        "a licence": card.licence != "not stated",
        "a score with and without": bool(card.evaluations),
        "how it was trained": card.training is not None,
    }
    return [name for name, there in said.items() if not there]


def one_line(text: str) -> str:
    """A text from elsewhere as it may stand in a line of Markdown: as text, whatever signs are in it."""
    return plain_text.markdown_text(plain_text.one_line(text))


def _front_matter(subject: CardSubject, card: Card) -> str:
    licence = re.sub(r"[\s_]+", "-", card.licence.strip().lower())
    named = licence in _HUB_LICENCES
    entries: dict[str, object] = {
        "library_name": "adaptkit",
        **({"base_model": subject.hub_id} if subject.hub_id else {}),
        **({"language": list(subject.language_tags)} if subject.language_tags else {}),
        "license": licence if named else "unknown" if card.licence == "not stated" else "other",
        **({} if named or card.licence == "not stated" else {"license_name": plain_text.one_line(card.licence)}),
        "tags": ["adaptkit", "adapter", subject.adapter_id.partition("/")[0], *subject.method.split(" + ")],
    }
    # JSON is YAML too, and no text can break out of it.
    return "\n".join(
        ["---", *(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in entries.items()), "---"]
    )


def _facts(subject: CardSubject, card: Card) -> list[str]:
    source = "kept private" if card.private else one_line(card.source) or "not stated"
    tokens = f", {card.n_tokens:,} tokens" if card.n_tokens else ""
    content = f", content {card.text_sha256[:16]}" if card.text_sha256 else ""
    return [
        *_languages(subject, card),
        f"- Text: {source} ({counted(card.n_lines, 'line')}{tokens}{content}), licence: {one_line(card.licence)}",
        *(f"- Cut or left out: {one_line(loss)}" for loss in card.losses),
        *([f"- Pieces: text is read by {subject.n_pieces:,} of its own too"] if subject.n_pieces else []),
        *(
            [f"- Fills masks: its projection to {subject.n_predicted:,} tokens is kept (`model.fill_mask`)"]
            if subject.n_predicted
            else []
        ),
        *([f"- Head: {one_line(subject.head)}"] if subject.head else []),
        *([f"- Trained on top of: {' > '.join(subject.below)}"] if subject.below else []),
        *(_training(card.training) if card.training is not None else []),
    ]


def _languages(subject: CardSubject, card: Card) -> list[str]:
    if len(subject.languages) < 2:
        return [f"- Language: {language}" for language in subject.languages]
    lines = [counted(entry.n_lines, "line") for entry in card.languages]
    told = zip(subject.languages, lines, strict=True)
    return ["- Languages:", *(f"  - {language} ({count})" for language, count in told)]


def _training(facts: TrainingFacts) -> list[str]:
    hours = facts.elapsed_s / 3600
    energy = "" if facts.watts is None else f", about {hours * facts.watts:,.1f} Wh at an assumed {facts.watts:,.0f} W"
    asked = {name: value for name, value in facts.settings.items() if value is not None}
    return [
        f"- Recipe: {one_line(facts.objective)}; {facts.steps:,} steps, {facts.tokens:,} tokens, "
        f"{facts.elapsed_s:,.0f} s ({facts.tokens_per_s:,.0f} tokens/s, peak memory "
        f"{facts.peak_memory_bytes / 2**20:,.0f} MiB)",
        *([f"- Hardware: {one_line(facts.hardware)}{energy}"] if facts.hardware else []),
        *([f"- Settings: {one_line(', '.join(f'{name} {value}' for name, value in asked.items()))}"] if asked else []),
        f"- Held-out loss: {facts.heldout_loss_before:.4f} before, {facts.heldout_loss_after:.4f} after "
        f"({one_line(facts.stopped_because)})",
        *(
            [
                f"- Pseudo-perplexity of held-out masked tokens: {facts.pseudo_perplexity_before:,.1f} before, "
                f"{facts.pseudo_perplexity_after:,.1f} after"
            ]
            if facts.pseudo_perplexity_before is not None and facts.pseudo_perplexity_after is not None
            else []
        ),
    ]


def _scores(card: Card) -> list[str]:
    if not card.evaluations:
        return []
    rows = [
        "| task | examples | metric | without | with | difference (95 %) |",
        "|---|---|---|---|---|---|",
        *(
            f"| {one_line(it.task)} | {it.n_examples:,} | {one_line(it.metric)} | {it.score_without:.1f} | "
            f"{it.score_with:.1f} | {_difference(it)} |"
            for it in card.evaluations
        ),
    ]
    notes = [f"- {one_line(it.task)}: {one_line(it.conditions)}" for it in card.evaluations if it.conditions]
    return ["## Scores", "\n".join(rows), *(["\n".join(notes)] if notes else [])]


def _difference(evaluation: Evaluation) -> str:
    difference = f"{evaluation.score_with - evaluation.score_without:+.1f}"
    if evaluation.low is None or evaluation.high is None:
        return f"{difference}, no interval"
    return f"{difference} ({evaluation.low:+.1f} to {evaluation.high:+.1f})"


def _use(subject: CardSubject) -> str:
    last = (
        f'answers = model.predict([...], stack="{subject.adapter_id}")  # a language adapter may lie below'
        if subject.head
        else 'vectors = model.encode(["..."], stack=adapter)'
    )
    lines = [
        "## Use",
        "",
        _USES[subject.adapter_id.partition("/")[0]],
        "",
        "```python",
        "import adaptkit",
        "",
        'adapter = adaptkit.load_adapter("path/to/this/folder")',
        "model = adaptkit.load_model()  # or the backbone named above",
        "model.attach(adapter)          # refused if the backbone or tokenizer is another one",
        last,
        "```",
    ]
    return "\n".join(lines)


def _limits(card: Card) -> list[str]:
    return [
        "## Limits",
        "",
        "- It fits this backbone only, in these weights; others are refused.",
        "- It has seen the kind of text named above and no other; what it does elsewhere was not measured"
        + (" beyond the scores above." if card.evaluations else ", and here nothing was: there are no scores."),
        "- It has what bias its text and the backbone have. It was not checked for that.",
        *([f"- Its text was read in {form}: give it text in that form."] if (form := normal_form(card)) else []),
        *(["- It may be used as the licence of its text allows."] if card.licence != "not stated" else []),
        *([f"- Of its licence: {one_line(problem)}."] if (problem := _licence_problem(card)) else []),
        *(["- The licence of its text is not stated: ask before you pass it on."] if _unstated(card) else []),
    ]


def _licence_problem(card: Card) -> str:
    return combined(source.licence for source in card.sources).problem if card.sources else ""


def _unstated(card: Card) -> bool:
    return card.licence == "not stated" and not card.private


def _citation(subject: CardSubject, card: Card) -> list[str]:
    papers = [row.paper for part in subject.method.split(" + ") if (row := METHODS.get(part)) is not None and row.paper]
    papers += [PIECES.paper] if subject.n_pieces else []
    objective = None if card.training is None else OBJECTIVES.get(card.training.objective)
    papers += [objective.paper] if objective is not None and objective.paper else []
    papers += [row.paper for name, row in REGULARISERS.items() if card.training and name in card.training.settings]
    version = f", adaptkit {one_line(card.adaptkit_version)}" if card.adaptkit_version else ""
    return [
        "## Citation",
        "",
        f"{subject.adapter_id} for {one_line(subject.backbone)}{version}, weights SHA-256 {subject.weights_sha256}.",
        *(f"Method: {paper}." for paper in dict.fromkeys(papers)),
    ]
