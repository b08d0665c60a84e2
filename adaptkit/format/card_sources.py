"""What a card says of the sources of a mix of texts."""

from collections.abc import Sequence
from dataclasses import dataclass

from adaptkit.data.survey import SharedLines
from adaptkit.errors import ConfigError


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
