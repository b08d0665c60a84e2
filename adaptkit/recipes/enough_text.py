"""Whether there is text enough to train on, as far as it shows before a backbone has read it."""

from itertools import islice

from adaptkit.errors import EmptyCorpus
from adaptkit.recipes.source import TrainingSource
from adaptkit.terminal.amounts import counted
from adaptkit.training.data import MIN_SENTENCES


def require_enough(source: TrainingSource) -> None:
    """Refuse text without a sentence, and too few pairs; the start of each part is read, where it can be read again.

    One line may be a document of many rows, so lines without translations are counted later, as tokens.

    Raises:
        EmptyCorpus: There is too little.
    """
    if not source.repeatable:
        return
    least = MIN_SENTENCES if source.translated else 1
    found = sum(1 for part in source.parts for _ in islice(part.rows(), least))
    if found < least:
        raise EmptyCorpus(
            f"{source.description} has {counted(found, 'usable pair' if source.translated else 'usable sentence')}; "
            f"training needs at least {MIN_SENTENCES}. Give more text."
        )
