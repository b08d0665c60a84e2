"""What plan and card say of each source of a mix."""

from collections.abc import Iterator, Sequence

from adaptkit.data.part import Part
from adaptkit.data.survey import SourceLines
from adaptkit.data.triage import Triage
from adaptkit.format.card_sources import SourceFacts
from adaptkit.terminal.amounts import counted


def source_facts(parts: Sequence[Part], found: Triage, shares: Sequence[float], *, private: bool) -> list[SourceFacts]:
    """For the card; nothing where there is one source. `shares` are those of the sentences drawn."""
    return [
        SourceFacts(
            name=f"source {number}" if private else part.name,
            languages=part.languages,
            licence=part.licence,
            lines=it.lines,
            sha256="" if private else it.sha256,
            weight=float(part.weight),
            share=round(share, 6),
            median_words=it.median_words,
            p90_words=it.p90_words,
            full_sentences=it.full_sentences,
        )
        for number, (part, it, share) in enumerate(_described(parts, found, shares), start=1)
    ]


def sources_in_words(parts: Sequence[Part], found: Triage, shares: Sequence[float]) -> Iterator[str]:
    """For the plan: a line each, and one for each two that have lines in common."""
    for part, it, share in _described(parts, found, shares):
        yield (
            f"{part}: {counted(it.lines, 'line')}, half of them {it.median_words:.0f} words or fewer, "
            f"{it.full_sentences:.0%} full sentences, {share:.1%} of what is drawn, licence {part.licence}"
        )
    for pair in found.shared:
        lines = counted(pair.lines, "line is", "lines are")
        yield f"{lines} both in {parts[pair.first].name} and in {parts[pair.second].name}"


def _described(
    parts: Sequence[Part], found: Triage, shares: Sequence[float]
) -> Iterator[tuple[Part, SourceLines, float]]:
    return zip(parts, found.sources, shares, strict=True) if found.sources else iter(())
