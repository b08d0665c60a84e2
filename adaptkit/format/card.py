"""The card: where an adapter comes from and what it was seen to do. Written for people, kept as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from adaptkit.data.letters import NORMAL_FORMS, NormalForm
from adaptkit.data.survey import SharedLines
from adaptkit.format.card_sources import SourceFacts, check_sources
from adaptkit.format.typed_json import since
from adaptkit.later import later
from adaptkit.objectives import OBJECTIVES
from adaptkit.terminal.amounts import counted, time_text

# The page is made of cards.
_html = later("adaptkit.format.card_html", "card_html")


@dataclass(frozen=True, kw_only=True)
class HeldoutScore:
    """A score of 100 on so many examples of a task that were held out of its training."""

    metric: str
    score: float
    n_examples: int


@dataclass(frozen=True, kw_only=True)
class TrainingFacts:
    """What a training run did. Times in seconds, memory in bytes; `watts` is an assumption, or None.

    `heldout_scores` are those of the weights that were kept, the main one first.
    """

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
    heldout_scores: tuple[HeldoutScore, ...] = since(10, ())

    @property
    def asked(self) -> str:
        """What was asked for, in a line; what was left open is left out."""
        return ", ".join(
            f"{name} {'none' if value == '' else value}" for name, value in self.settings.items() if value is not None
        )

    @property
    def scored(self) -> str:
        """The held-out scores in words, or nothing: accuracy 81.2, macro F1 80.0 (of 100, on 48 held-out examples)."""
        if not self.heldout_scores:
            return ""
        told = ", ".join(f"{it.metric} {it.score:.1f}" for it in self.heldout_scores)
        return f"{told} (of 100, on {counted(self.heldout_scores[0].n_examples, 'held-out example')})"

    @property
    def heldout_measure(self) -> str:
        """What the held-out losses are: loss, or the distance of this from that."""
        row = OBJECTIVES.get(self.objective)
        return "loss" if row is None else row.heldout

    @property
    def speed(self) -> str:
        """How fast it was, in words: 1,204 tokens/s; of what took no steps, in 25 s, where that is known."""
        if self.steps:
            return f"{self.tokens_per_s:,.0f} tokens/s"
        return f"learned in {time_text(self.elapsed_s)}" if self.elapsed_s else "learned without steps"

    @property
    def watt_hours(self) -> float | None:
        """Energy, from the assumed power."""
        return None if self.watts is None else self.elapsed_s / 3600 * self.watts

    @property
    def kept_the_start(self) -> bool:
        """Whether no weights were better than those of the start, which change nothing: they are the adapter's."""
        return not self.heldout_loss_after < self.heldout_loss_before

    @property
    def without_gain(self) -> str:
        """What to say of an adapter that kept the start, behind its name; empty for every other."""
        if not self.kept_the_start:
            return ""
        if self.objective == "alignment":
            return (
                "brought held-out sentences no nearer to their translations. Measure it before you rely on it, or let "
                "it learn from more sentences with translations"
            )
        return (
            "changes nothing: in its training the held-out loss was never better than at the start. Train it for more "
            "steps, on more text, or at another learning rate"
        )


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

    @property
    def gain(self) -> str:
        """Points with their interval: `+9.3 (+4.4 to +14.7)`."""
        difference = f"{self.score_with - self.score_without:+.1f}"
        if self.low is None or self.high is None:
            return f"{difference}, no interval"
        return f"{difference} ({self.low:+.1f} to {self.high:+.1f})"


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

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        made: str = _html()("Card", self)
        return made


@dataclass(frozen=True, kw_only=True)
class CardSubject:
    """Whose card it is: facts of the adapter that stand elsewhere in its folder.

    `languages` says in words what each of `language_tags` is. `hub_id` is the backbone's, empty where it has none.
    `n_predicted` are the tokens of a kept projection, 0 where none was kept. `hub_task` is what model hubs call that
    which the adapter does.
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
    n_glosses: int = 0
    n_predicted: int = 0
    hub_task: str = "feature-extraction"


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
