"""Which regression the head of a task may start as, and what a plan says of it."""

from adaptkit.layers.heads import Head, SentenceHead, TokenHead
from adaptkit.task_types import HeadConfig
from adaptkit.task_types.classification import CLASSIFICATION
from adaptkit.task_types.multilabel import MULTILABEL
from adaptkit.task_types.pos import POS
from adaptkit.task_types.tagging import TAGGING
from adaptkit.terminal.amounts import counted
from adaptkit.training import TrainingRun
from adaptkit.training.items import TaskItems
from adaptkit.training.logistic_start import LogisticStart, ToSteps

_OF_LABELS = (CLASSIFICATION, MULTILABEL, TAGGING, POS)
_MOST_BEFORE_STEPS = 1024
"""Examples that a regression is fitted to where steps follow: to read them costs what ten steps of 32 do."""


def regression_of(
    asked: HeadConfig, head: Head, items: TaskItems, batch_size: int, *, reads_once: bool, joins_domains: bool
) -> LogisticStart | None:
    """Of labels of texts, and of words' tags: fitted to all that is read once anyhow, or to some of it.

    `joins_domains` is whether text of another domain is read beside the examples.
    """
    if not isinstance(head, SentenceHead | TokenHead) or asked.row not in _OF_LABELS:
        return None
    if isinstance(head, SentenceHead) and reads_once:
        # Of several labels a text, steps find more on some data and the regression on other (HISTORY.md).
        when: ToSteps = "instead" if asked.row is CLASSIFICATION else "after"
        return LogisticStart(head, items.training_batches(batch_size), when)
    # The mean of two texts hardly says how they stand to each other. And where domains are brought together,
    # held-out labels of one of them may keep the regression, and undo that.
    if asked.pairs or joins_domains:
        return None
    return LogisticStart(head, items.training_batches(batch_size, most=_MOST_BEFORE_STEPS), "before")


def start_told(run: TrainingRun) -> list[str]:
    """In a line of the plan; none where a head starts as it is made."""
    if (tried := run.tried_start()) is not None:
        if tried.ends_the_run:
            way = "a logistic regression, which is found without steps"
        elif tried.when == "after":
            way = "trained in steps, then a logistic regression if none is better than that"
        else:
            way = "trained in steps, since a logistic regression is no better"
        return [f"head: {way}: {tried}"]
    if (start := run.start) is None:
        return []
    of = counted(sum(map(len, start.regression.batches)), "example")
    return [f"head: begins as a logistic regression of {of}, if that has a lower held-out loss than a new one"]
