"""Whether pairs of sentences are the very text that an adapter learned from, as far as its card tells."""

from collections.abc import Iterator, Sequence

from adaptkit.backbones import Backbone
from adaptkit.data.letters import normalized
from adaptkit.data.sentence import Sentence
from adaptkit.data.survey import Survey
from adaptkit.data.tokens import TokenStore, tokenize_lines
from adaptkit.methods import Reading
from adaptkit.storage import Adapter


def is_learned_text(adapter: Adapter, pairs: Sequence[tuple[str, str]], backbone: Backbone) -> bool:
    """Whether all of these pairs, or all sentences of one of their sides, are its text or a source of its text.

    The card has hashes of whole texts, so a part of the text, or another order, is not found; nor is private text.
    """
    counts = {adapter.card.n_lines, *(source.lines for source in adapter.card.sources)}
    if len(pairs) not in counts:
        return False
    return any(
        _is_whole_text(adapter, rows, backbone) or _is_a_source(adapter, rows) for rows in _as_learned(adapter, pairs)
    )


def _as_learned(adapter: Adapter, pairs: Sequence[tuple[str, str]]) -> Iterator[list[Sentence]]:
    """Each side as the sentences, and the other as their translations, in the form that the adapter's text was in."""
    sides = [[normalized(text, adapter.normal_form) for text in side] for side in zip(*pairs, strict=True)]
    for sentences, translations in (sides, reversed(sides)):
        yield list(map(Sentence, sentences, translations))


def _is_whole_text(adapter: Adapter, rows: Sequence[Sentence], backbone: Backbone) -> bool:
    card = adapter.card
    max_length = None if card.training is None else card.training.settings.get("max_length")
    if len(rows) != card.n_lines or not card.text_sha256 or not isinstance(max_length, int):
        return False
    reader = backbone.reader(Reading(adapter.config.pieces))
    tokens = tokenize_lines((row.text for row in rows), lambda texts: reader.tokenize(texts, max_length=max_length))
    return TokenStore(tokens).sha256() == card.text_sha256


def _is_a_source(adapter: Adapter, rows: Sequence[Sentence]) -> bool:
    """Whether they are a source of a mix, with its translations or without."""
    hashes = {source.sha256 for source in adapter.card.sources if source.lines == len(rows)}
    return bool(hashes) and not hashes.isdisjoint((_hash_of(rows), _hash_of([Sentence(row.text) for row in rows])))


def _hash_of(rows: Sequence[Sentence]) -> str:
    survey = Survey(1)
    for _ in survey.watched(rows):
        pass
    return survey.sources()[0].sha256
