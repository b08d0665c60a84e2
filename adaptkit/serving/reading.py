"""How many tokens a worker reads for a request, and whether all of it is read."""

from collections.abc import Sequence

from adaptkit.backbones import Backbone
from adaptkit.data.tasks import Example
from adaptkit.heads import format_of
from adaptkit.labelled import without_label
from adaptkit.methods import by_reading
from adaptkit.model import ResolvedEnsemble, ResolvedStack
from adaptkit.serving.refusal import malformed
from adaptkit.terminal.amounts import row_of


def tokens_of_texts(
    backbone: Backbone, texts: Sequence[str], stacks: Sequence[ResolvedStack], *, cut: bool, prefix: str | None
) -> int:
    """The tokens of texts whose vectors are made, each read as its stack reads, behind a prefix if there is one.

    Raises:
        Refused: One is longer than the backbone reads, and may not be cut.
    """
    count, limit = 0, backbone.longest_sentence
    for reading, places in by_reading(enumerate(stack.reading for stack in stacks)).items():
        reader = backbone.reader(reading)
        reader = reader if prefix is None else reader.behind(prefix)
        rows = reader.tokenize_cutting([(texts[place], None) for place in places], max_length=limit)
        _require_whole([place for place, (_, was_cut) in zip(places, rows, strict=True) if was_cut], limit, cut=cut)
        count += sum(len(ids) for ids, _ in rows)
    return count


def tokens_of_examples(
    backbone: Backbone, examples: Sequence[Example], ensembles: Sequence[ResolvedEnsemble], *, cut: bool
) -> int:
    """The tokens of examples, of each under every stack that answers it; a context that is long is read in windows.

    Raises:
        Refused: One is longer than the backbone reads, and may not be cut.
    """
    count = 0
    heads = {id(config): config for ensemble in ensembles for _, config in ensemble.heads}
    for head in heads.values():
        rows = [
            (number, stack.reading)
            for number, ensemble in enumerate(ensembles)
            for stack, (_, config) in zip(ensemble.stacks, ensemble.heads, strict=True)
            if config is head
        ]
        for reading, numbers in by_reading(rows).items():
            task_format = format_of(backbone.reader(reading), head)
            items = task_format.items([without_label(examples[number]) for number in numbers])
            _require_whole([numbers[item.example] for item in items if item.cut], backbone.max_length, cut=cut)
            count += sum(item.n_tokens for item in items)
    return count


def _require_whole(cut_places: Sequence[int], limit: int, *, cut: bool) -> None:
    if cut_places and not cut:
        raise malformed(
            f"{row_of(cut_places[0], 'inputs')} is longer than the {limit:,} tokens that the backbone reads. Send it "
            "in parts, or let it be cut: truncate_prompt_tokens=-1.",
            "input",
        )
