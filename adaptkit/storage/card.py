"""The card: where an adapter comes from and what it was seen to do. Written for people, kept as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from adaptkit.config import HeadConfig


@dataclass(frozen=True, kw_only=True)
class TrainingFacts:
    """What a training run did. Times in seconds, memory in bytes."""

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


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One score with its comparison: the same test without the adapter."""

    task: str
    metric: str
    n_examples: int
    score_without: float
    score_with: float


@dataclass(frozen=True, kw_only=True)
class Card:
    """Provenance of an adapter. `text_kind` is `sample` when it was trained on the package's own small sample."""

    source: str = ""
    text_kind: str = "corpus"
    n_lines: int = 0
    licence: str = "not stated"
    adaptkit_version: str = ""
    private: bool = False
    training: TrainingFacts | None = None
    evaluations: tuple[Evaluation, ...] = ()


def render_card(
    *,
    adapter_id: str,
    language: str | None,
    method: str,
    head: HeadConfig | None,
    below: Sequence[str],
    backbone: str,
    release: str,
    n_parameters: int,
    card: Card,
) -> str:
    """The card as the Markdown of README.md."""
    source = "kept private" if card.private else card.source or "not stated"
    lines = [
        "---",
        "library_name: adaptkit",
        *([f"language: {language}"] if language else []),
        f"tags: [adaptkit, adapter, {method}]",
        "---",
        "",
        f"# {adapter_id}",
        "",
        f"A {method} adapter of {n_parameters:,} parameters for the frozen backbone {backbone} ({release}).",
        "",
    ]
    if card.text_kind == "sample":
        lines += [
            "**Trained on the small sample that comes with adaptkit**: it shows how things work and is no adapter for "
            "real use. Train on your own text for that.",
            "",
        ]
    lines += [f"- Text: {source} ({card.n_lines:,} lines), licence: {card.licence}"]
    if head is not None:
        labels = f", labels: {', '.join(head.labels)}" if head.labels else ""
        lines += [f"- Head: {head.task_type}{labels}"]
    if below:
        lines += [f"- Trained on top of: {' > '.join(below)}"]
    if card.training is not None:
        lines += _training_lines(card.training)
    lines += [_evaluation_line(evaluation) for evaluation in card.evaluations]
    lines += [
        "",
        "## Use",
        "",
        "```python",
        "import adaptkit",
        "",
        'adapter = adaptkit.load_adapter("path/to/this/folder")',
        "model = adaptkit.load_model()  # or the backbone named above",
        "model.attach(adapter)          # refused if the backbone or tokenizer is another one",
        'vectors = model.encode(["..."], stack=adapter)'
        if head is None
        else f'answers = model.predict([...], stack="{adapter_id}")  # a language adapter may lie below',
        "```",
        "",
    ]
    return "\n".join(lines)


def _training_lines(facts: TrainingFacts) -> list[str]:
    lines = [
        f"- Objective: {facts.objective}; {facts.steps:,} steps, {facts.tokens:,} tokens, {facts.elapsed_s:,.0f} s "
        f"({facts.tokens_per_s:,.0f} tokens/s, peak memory {facts.peak_memory_bytes / 2**20:,.0f} MiB)",
        f"- Held-out loss: {facts.heldout_loss_before:.4f} before, {facts.heldout_loss_after:.4f} after "
        f"({facts.stopped_because})",
    ]
    if facts.pseudo_perplexity_before is not None and facts.pseudo_perplexity_after is not None:
        lines.append(
            f"- Pseudo-perplexity of held-out masked tokens: {facts.pseudo_perplexity_before:,.1f} before, "
            f"{facts.pseudo_perplexity_after:,.1f} after"
        )
    return lines


def _evaluation_line(evaluation: Evaluation) -> str:
    return (
        f"- {evaluation.task}, {evaluation.metric} on {evaluation.n_examples:,} examples: "
        f"{evaluation.score_without:.1f} without, {evaluation.score_with:.1f} with"
    )
