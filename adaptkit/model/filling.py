"""Masks filled: the most probable tokens at each mask of texts that may each have a stack of their own."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from adaptkit.backbones import TextReader
from adaptkit.backbones.out_of_memory import memory_errors_told
from adaptkit.data.batching import chunks
from adaptkit.data.columns import require_texts
from adaptkit.errors import ConfigError
from adaptkit.methods import Reading, by_reading
from adaptkit.model.encoding import require_batch
from adaptkit.model.masked_texts import MaskedText, read_masked
from adaptkit.model.notices import Notices
from adaptkit.model.passes import Passes
from adaptkit.model.stacks import ResolvedStack
from adaptkit.model.token_scores import TokenScores, scores_of_adapter, scores_of_backbone
from adaptkit.terminal.asking import as_typed

_MASKS_AT_ONCE = 64
BACKBONE = "backbone"
"""What names the backbone's own head where an adapter's projection may be named."""


@dataclass(frozen=True)
class FilledToken:
    """A token that may stand at a mask: its piece, as the tokenizer names it, its text, and how probable it is."""

    piece: str
    text: str
    probability: float


@dataclass(frozen=True)
class FilledMask:
    """A mask, by the character at which it begins in the text, and tokens for it, the most probable first."""

    start: int
    tokens: tuple[FilledToken, ...]


class Filling:
    """Fills the masks of texts by the projection of each text's stack, or by one that is named.

    The projection of a stack is that of the uppermost adapter that has kept one, else the backbone's own head.
    """

    def __init__(self, passes: Passes, notices: Notices, by: ResolvedStack | str | None) -> None:
        self._passes, self._backbone, self._notices, self._by = passes, passes.backbone, notices, by
        self._scores: dict[object, TokenScores] = {}

    def fill(
        self, texts: Sequence[str], stacks: Sequence[ResolvedStack], *, top: int, batch_size: int
    ) -> list[tuple[FilledMask, ...]]:
        """For each text its masks, in order.

        Raises:
            ConfigError: As `AdaptedModel.fill_mask`.
            OutOfMemory: The memory does not hold a batch.
        """
        self._require(texts, top, batch_size)
        self._notices.of_forms([[text] for text in texts], stacks)
        read: list[tuple[MaskedText, TextReader]] = [None] * len(texts)  # type: ignore[list-item]
        # A gloss would say what the masks hide.
        for reading, places in by_reading((n, Reading(stack.reading.pieces)) for n, stack in enumerate(stacks)).items():
            reader = self._backbone.reader(reading)
            rows = read_masked([texts[place] for place in places], reader, places)
            for place, row in zip(places, rows, strict=True):
                read[place] = (row, reader)
        scores = [self._scores_for(stack) for stack in stacks]
        ways = f"Give a smaller batch_size (it is {batch_size})."
        with torch.inference_mode(), memory_errors_told("this batch", self._backbone.device, ways):
            states = self._states([row for row, _ in read], stacks, batch_size)
            filled = self._filled(states, scores, [reader for _, reader in read], top)
        return [
            tuple(FilledMask(start, tokens) for start, tokens in zip(row.starts, masks, strict=True))
            for (row, _), masks in zip(read, filled, strict=True)
        ]

    def _require(self, texts: Sequence[str], top: int, batch_size: int) -> None:
        row = self._backbone.architecture
        if row.generates:
            kind = "a decoder" if row.causal else "an encoder-decoder"
            raise ConfigError(
                f"masks are filled by an encoder, in which a token sees those on both sides, and {self._backbone.name} "
                f"is {kind}. Load an encoder, or let it write on from a text: model.generate."
            )
        require_texts(texts, "texts")
        require_batch(batch_size)
        if top < 1:
            raise ConfigError(f"top must be at least 1, found {top}.")

    def _scores_for(self, stack: ResolvedStack) -> TokenScores:
        named = stack if self._by is None else self._by
        layers = named.projection if isinstance(named, ResolvedStack) else None
        key = layers or BACKBONE
        if key not in self._scores:
            self._scores[key] = self._own_scores(stack) if layers is None else scores_of_adapter(layers, self._backbone)
        return self._scores[key]

    def _own_scores(self, stack: ResolvedStack) -> TokenScores:
        """Those of the backbone, where it has a head and no adapter's projection was asked for."""
        head = self._backbone.mlm_head
        if head is not None and not isinstance(self._by, ResolvedStack):
            return scores_of_backbone(head, self._backbone)
        lacking = "" if head else f"the checkpoint of {self._backbone.name} has no head for masked tokens, and "
        named = stack.stack if self._by in (None, BACKBONE) else self._by.stack  # type: ignore[union-attr]
        raise ConfigError(
            f"nothing tells which token fits at a mask: {lacking}no adapter in {str(named) or 'the empty stack'} has "
            f"kept the projection that it was trained with. Train one by {as_typed(objective='mlm')} with "
            f"{as_typed(keep_projection=True)}, and put it in the stack."
        )

    def _states(self, rows: Sequence[MaskedText], stacks: Sequence[ResolvedStack], batch_size: int) -> list[Tensor]:
        """The states at the masks of each text. Shape: for each (n_masks, hidden_width)."""
        states: list[Tensor] = [torch.empty(0)] * len(rows)
        by_length = sorted(range(len(rows)), key=lambda number: len(rows[number].ids))
        for numbers in chunks(by_length, batch_size):
            ids, mask = self._backbone.pad([rows[number].ids for number in numbers])
            hidden = self._passes.states_of_rows(ids, mask, [stacks[number].plan for number in numbers])
            for place, number in enumerate(numbers):
                states[number] = hidden[place, rows[number].places]
        return states

    def _filled(
        self, states: Sequence[Tensor], scores: Sequence[TokenScores], readers: Sequence[TextReader], top: int
    ) -> list[list[tuple[FilledToken, ...]]]:
        """Tokens for each mask of each text. Those of one projection are scored together."""
        groups: dict[TokenScores, list[int]] = defaultdict(list)
        for number, one in enumerate(scores):
            groups[one].append(number)
        filled: list[list[tuple[FilledToken, ...]]] = [[] for _ in states]
        for one, numbers in groups.items():
            of_text = [number for number in numbers for _ in states[number]]
            together = torch.cat([states[number] for number in numbers])
            for at, part in enumerate(torch.split(together, _MASKS_AT_ONCE)):
                own = of_text[at * _MASKS_AT_ONCE :]
                for number, (values, ids) in zip(own, self._best(one, part, top), strict=False):
                    filled[number].append(_tokens(readers[number], ids, values))
        return filled

    def _best(self, scores: TokenScores, states: Tensor, top: int) -> list[tuple[list[float], list[int]]]:
        """The probabilities and ids of the most probable tokens, but for special ones, which no word is."""
        found, tokenizer = scores.probabilities(states), self._backbone.tokenizer
        special = torch.tensor(tokenizer.all_special_ids, device=found.device)
        n_own, n_table = self._backbone.n_ids, self._backbone.shape.vocabulary_size
        named = ~torch.isin(scores.ids, special) & ((scores.ids < n_own) | (scores.ids >= n_table))
        values, places = found[:, named].topk(min(top, int(named.sum())), dim=-1)
        ids = scores.ids[named][places]
        return list(zip(values.tolist(), ids.tolist(), strict=True))


def _tokens(reader: TextReader, ids: Sequence[int], probabilities: Sequence[float]) -> tuple[FilledToken, ...]:
    tokenizer = reader.tokenizer
    return tuple(
        FilledToken(
            piece=str(tokenizer.convert_ids_to_tokens(number)),
            text=str(tokenizer.decode([number])).strip(),
            probability=probability,
        )
        for number, probability in zip(ids, probabilities, strict=True)
    )
