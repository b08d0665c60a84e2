"""What a card says of the sources of a mix of texts."""

from collections.abc import Sequence
from dataclasses import dataclass

from adaptkit.data.survey import SharedLines
from adaptkit.errors import ConfigError
from adaptkit.terminal import plain_text
from adaptkit.terminal.amounts import counted


@dataclass(frozen=True, kw_only=True)
class SourceFacts:
    """One source. Where the text is private it has a number for a name, and no hash.

    `languages` says in words which language is translated into which. `share` is the part of the sentences drawn that
    are its, between 0 and 1, and `weight` how often one is drawn beside the others'. The rest is as triage counted it
    (`adaptkit.data.survey.SourceLines`).
    """

    name: str
    languages: str
    licence: str
    lines: int
    sha256: str
    weight: float
    share: float
    median_words: float
    p90_words: float
    full_sentences: float


def check_sources(sources: Sequence[SourceFacts], shared: Sequence[SharedLines]) -> None:
    """See that what sources share is said of sources that there are.

    Raises:
        ConfigError: It is not.
    """
    for pair in shared:
        if not 0 <= pair.first < pair.second < len(sources):
            raise ConfigError(f"lines are shared by sources {pair.first} and {pair.second} of {len(sources)}")


def source_lines(sources: Sequence[SourceFacts], shared: Sequence[SharedLines]) -> list[str]:
    """A table of them for a card in Markdown, and what they share; nothing where there is no mix."""
    if not sources:
        return []
    rows = [
        "| source | licence | lines | drawn | words in a line (half, nine of ten) | full sentences | content |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {_named(it)} | {_cell(it.licence)} | {it.lines:,} | {it.share:.1%} | {it.median_words:.0f}, "
            f"{it.p90_words:.0f} | {it.full_sentences:.0%} | {_cell(it.sha256[:16]) or 'private'} |"
            for it in sources
        ),
    ]
    names = [_cell(it.name) for it in sources]
    notes = [
        f"- {counted(it.lines, 'line stands', 'lines stand')} both in {names[it.first]} and {names[it.second]}."
        for it in shared
    ]
    return ["## Sources", "\n".join(rows), *(["\n".join(notes)] if notes else [])]


def _named(facts: SourceFacts) -> str:
    return f"{_cell(facts.name)} ({_cell(facts.languages)})" if facts.languages else _cell(facts.name)


def _cell(text: str) -> str:
    return plain_text.markdown_text(plain_text.one_line(text))
