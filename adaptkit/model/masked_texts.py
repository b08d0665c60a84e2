"""Texts with masks in them, as a tokenizer reads them."""

from collections.abc import Sequence
from dataclasses import dataclass

from adaptkit.backbones import TextReader
from adaptkit.errors import ConfigError
from adaptkit.terminal.amounts import row_of

_LITERALS = ("<mask>", "[MASK]")


@dataclass(frozen=True)
class MaskedText:
    """Token ids of a text, the places of its masks among them, and where each mask begins in the text as given."""

    ids: list[int]
    places: list[int]
    starts: list[int]


def read_masked(texts: Sequence[str], reader: TextReader, numbers: Sequence[int]) -> list[MaskedText]:
    """Texts, which have these numbers in what the caller gave, from 0, each with its masks.

    Raises:
        ConfigError: A text without a mask, one whose masks could be meant otherwise, or whose mask lies behind what the
            backbone reads; a tokenizer without a mask token.
    """
    mask_id, own = reader.special_id("mask"), str(reader.tokenizer.mask_token)
    written = [_written(text, own, reader, number) for text, number in zip(texts, numbers, strict=True)]
    rows = reader.tokenize([text for text, _ in written])
    found = []
    for ids, (_, starts), number in zip(rows, written, numbers, strict=True):
        places = [place for place, token in enumerate(ids) if token == mask_id]
        if len(places) < len(starts):
            raise ConfigError(
                f"{row_of(number, 'texts')} has {len(starts)} masks, and {len(places)} of them lie within the "
                f"{reader.max_length:,} tokens that {reader.name} reads. Give the sentences around the mask only."
            )
        found.append(MaskedText(ids, places, starts))
    return found


def _written(text: str, own: str, reader: TextReader, number: int) -> tuple[str, list[int]]:
    """The text with the tokenizer's own mask token, and where the masks are in the text as it was."""
    where = row_of(number, "texts")
    others = [literal for literal in _LITERALS if literal != own and literal in text]
    if own in text and others:
        raise ConfigError(
            f"{where} has {own} and {others[0]}, of which {own} is the mask of {reader.name}: write {own} for "
            f"each mask, and leave {others[0]} out."
        )
    if known := [literal for literal in others if literal in reader.tokenizer.get_vocab()]:
        raise ConfigError(f"{where} has {known[0]}, which is another token of {reader.name}; write {own}.")
    mask = others[0] if others else own
    starts = _starts(text, mask)
    if not starts or len(others) > 1:
        raise ConfigError(f"{where} has no mask: write {own} where a word is missing, found {text[:60]!r}.")
    return text.replace(mask, own), starts


def _starts(text: str, mask: str) -> list[int]:
    starts, at = [], text.find(mask)
    while at >= 0:
        starts.append(at)
        at = text.find(mask, at + len(mask))
    return starts
