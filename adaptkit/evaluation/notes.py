"""What a reader of a report has to know of its tests: what was not read, was seen in training, or is left out."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from adaptkit.backbones import Backbone
from adaptkit.data.tasks import Example, leaked
from adaptkit.evaluation.measured import Measured
from adaptkit.evaluation.subject import LanguageTest
from adaptkit.heads import format_of
from adaptkit.labelled import without_label
from adaptkit.storage import Adapter
from adaptkit.storage.of_language import WHERE_GLOSSARIES_HELP
from adaptkit.task_types import HeadConfig
from adaptkit.terminal.asking import as_typed


def leak_notes(texts: Mapping[str, Iterable[str]], sentences: Sequence[str]) -> Iterator[str]:
    """Training texts, by their names, that hold sentences of a test."""
    for name, text in texts.items():
        leak = leaked(text, sentences)
        if leak.exact or leak.near:
            yield f"training text {name}: {leak.summary()}"


def loss_notes(
    backbone: Backbone, head: HeadConfig, max_answer_tokens: int | None, language: str, examples: Sequence[Example]
) -> Iterator[str]:
    """What of a test is not read, and answers that cannot be given."""
    # Labels that the head does not know are not looked at here; where answers stand is.
    given = [without_label(example) for example in examples] if head.labels else examples
    items = format_of(backbone, head).items(given)
    if max_answer_tokens is not None and head.row.bounds_answers:
        head = replace(head, max_answer_tokens=max_answer_tokens)
    lost = head.row.lost(head, examples, items, max_length=backbone.max_length, scored=True)
    yield from (f"{language}: {loss}." for loss in lost)


def one_answer_notes(test: LanguageTest, under: str, runs: Iterable[Measured]) -> Iterator[str]:
    """Heads that have learned no difference, so that their score says nothing of the language."""
    for answer in dict.fromkeys(run.only_answer for run in runs if run.only_answer):
        yield (
            f"{test.language}: under {under}, a head answers {answer!r} to all of the {len(test.examples):,} examples, "
            "where other labels are right too."
        )


def form_notes(language: str, texts: Iterable[str], adapters: Sequence[Adapter]) -> Iterator[str]:
    """Adapters that were trained on text in another normal form than some of the test's."""
    read = list(texts)
    for adapter in adapters:
        form = adapter.normal_form
        if form and not all(unicodedata.is_normalized(form, text) for text in read):
            yield (
                f"{language}: {adapter.id} was trained on text in {form}, and texts of the test are in another form "
                f"({as_typed(normalize=form)})."
            )


def left_out_note(glossaries: Iterable[str]) -> str:
    """Why these glossaries do not lie below, and how they would."""
    return (
        f"left out: {', '.join(glossaries)}, as {WHERE_GLOSSARIES_HELP}. To measure with them all the same, name each "
        f"adapter by itself ({as_typed(zoo=...)}, in Python a list)."
    )


def ignored_notes(head: HeadConfig, examples: Sequence[Example]) -> Iterator[str]:
    """What of the test's answers a head cannot give."""
    yield from head.row.ignored(head, examples)
