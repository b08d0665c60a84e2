"""The card as the Markdown of README.md, with the front matter that model hubs read."""

from collections.abc import Mapping

from adaptkit.data.licences import combined
from adaptkit.format.card import Card, CardSubject, normal_form
from adaptkit.format.card_front_matter import front_matter
from adaptkit.methods import METHODS, PIECES
from adaptkit.objectives import OBJECTIVES
from adaptkit.pages.template import filled, markup
from adaptkit.regularisers import REGULARISERS
from adaptkit.terminal.amounts import counted

_USES: Mapping[str, str] = {
    "language": "Put it below a task adapter, or alone for sentence vectors, on text in its language.",
    "domain": "Put it between a language and a task adapter, or alone for sentence vectors, on text of its domain.",
    "task": "Put it on top of a stack: below it may lie the adapter of the language that is asked in.",
}


def render_card(subject: CardSubject, card: Card) -> str:
    """The whole card."""
    return filled(
        "markdown",
        "adaptkit.format",
        "card.md.jinja",
        front_matter=markup(front_matter(subject, card)),
        subject=subject,
        card=card,
        article="An" if subject.method.startswith(("a", "e", "i", "o", "ngram")) else "A",
        languages=_languages(subject, card),
        source="kept private" if card.private else card.source or "not stated",
        counted=counted,
        use=_USES[subject.adapter_id.partition("/")[0]],
        normal_form=normal_form(card),
        prefix=_prefix(card),
        licence_problem=combined(source.licence for source in card.sources).problem if card.sources else "",
        papers=list(map(markup, dict.fromkeys(_papers(subject, card)))),
    )


def _languages(subject: CardSubject, card: Card) -> list[str]:
    """What each language is, in words of ours; of several, with the lines of its text."""
    if len(subject.languages) < 2:
        return list(map(markup, subject.languages))
    lines = [counted(entry.n_lines, "line") for entry in card.languages]
    return [markup(f"{name} ({count})") for name, count in zip(subject.languages, lines, strict=True)]


def _prefix(card: Card) -> str | None:
    """What was asked to stand before each text, quoted; None where nothing was asked for."""
    asked = None if card.training is None else card.training.settings.get("prefix")
    return None if asked is None else repr(asked) if asked else ""


def _papers(subject: CardSubject, card: Card) -> list[str]:
    papers = [row.paper for part in subject.method.split(" + ") if (row := METHODS.get(part)) is not None]
    papers += [PIECES.paper] if subject.n_pieces else []
    objective = None if card.training is None else OBJECTIVES.get(card.training.objective)
    papers += [] if objective is None else [objective.paper]
    papers += [row.paper for name, row in REGULARISERS.items() if card.training and name in card.training.settings]
    return [paper for paper in papers if paper]
