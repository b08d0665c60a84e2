"""What a reader of a report has to know of its tests: what was not read, was seen in training, or is left out."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence

from adaptkit.backbones import Backbone
from adaptkit.config import HeadConfig
from adaptkit.data.tasks import Example, Question, leaked
from adaptkit.data.tasks.spelling import texts_of
from adaptkit.evaluation.metrics import ignored_entities
from adaptkit.heads import answers_above, format_of, losses, without_label
from adaptkit.storage import Adapter


def leak_notes(texts: Mapping[str, Iterable[str]], evaluated: Mapping[str, Sequence[Example]]) -> Iterator[str]:
    """Training texts, by their names, that hold test sentences."""
    sentences = [text for examples in evaluated.values() for example in examples for text in texts_of(example)]
    for name, text in texts.items():
        leak = leaked(text, sentences)
        if leak.exact or leak.near:
            yield f"training text {name}: {leak.summary()}"


def loss_notes(
    backbone: Backbone, head: HeadConfig, max_answer_tokens: int | None, language: str, examples: Sequence[Example]
) -> Iterator[str]:
    """What of a test is not read, and answers that cannot be given."""
    # Labels that the head does not know are not looked at here; where answers stand is.
    given = [example if isinstance(example, Question) else without_label(example) for example in examples]
    items = format_of(backbone, head).items(given)
    lost = losses(examples, items, max_length=backbone.max_length, scored=True)
    if head.task_type == "qa":
        lost += answers_above(max_answer_tokens or head.max_answer_tokens, items)
    yield from (f"{language}: {loss}." for loss in lost)


def form_notes(language: str, examples: Sequence[Example], adapters: Sequence[Adapter]) -> Iterator[str]:
    """Adapters that were trained on text in another normal form than some of the test's."""
    for adapter in adapters:
        form = adapter.normal_form
        if form and not all(unicodedata.is_normalized(form, text) for it in examples for text in texts_of(it)):
            yield (
                f"{language}: {adapter.id} was trained on text in {form}, and texts of the test are in another form "
                f"(normalize={form!r})."
            )


def ignored_notes(head: HeadConfig, examples: Sequence[Example]) -> Iterator[str]:
    """Entities that a head of tags cannot give."""
    ignored = ignored_entities(head, examples)
    if ignored and head.task_type == "tagging":
        yield f"entities of type {', '.join(sorted(ignored))} are left out: the task adapter was not trained on them."
