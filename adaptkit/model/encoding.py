"""Sentence vectors of texts and of token ids, each under a stack of its own."""

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from adaptkit.attaching import RowPlan
from adaptkit.backbones.hardware import works_beside
from adaptkit.backbones.out_of_memory import memory_errors_told
from adaptkit.data.batching import chunks
from adaptkit.errors import ConfigError
from adaptkit.methods import by_reading
from adaptkit.model.notices import Notices
from adaptkit.model.passes import Passes
from adaptkit.model.stacks import ResolvedStack
from adaptkit.terminal.bar import bar

_FINISHED_AT_ONCE = 4096


class Encoder:
    """Makes vectors as the backbone does: by its pooling, projections and normalisation, behind its default prompt."""

    def __init__(self, passes: Passes) -> None:
        self._passes = passes
        self._backbone = passes.backbone

    def vectors(
        self,
        texts: Sequence[str],
        stacks: Sequence[ResolvedStack],
        notices: Notices,
        *,
        batch_size: int,
        max_length: int | None,
        prefix: str | None = None,
        progress: bool = False,
    ) -> Tensor:
        """Vectors of texts, cut at the backbone's own length or at another one, behind its prefix or another one.

        Shape: (len(texts), width of the backbone's vectors), float32 on the CPU.

        Raises:
            ConfigError: Another prefix, where the backbone leaves its own out of its vectors; and as `pooled`.
            OutOfMemory: As `pooled`.
        """
        if prefix is not None:
            self._require_counted_prompt()
        notices.of_forms([[text] for text in texts], stacks)
        longest = max_length or self._backbone.longest_sentence
        rows = self._read(texts, stacks, longest, prefix)
        if max_length is None:
            notices.of_cuts(sum(cut for _, cut in rows), len(rows), limit=longest)
        plans = [stack.plan for stack in stacks]
        return self._finished(self.pooled([ids for ids, _ in rows], plans, batch_size=batch_size, progress=progress))

    def _require_counted_prompt(self) -> None:
        if not self._backbone.sentences.counts_prompt:
            raise ConfigError(
                f"{self._backbone.name} leaves the tokens of its own prompt out of its vectors, so it has no other "
                "prefix; put it before the texts yourself."
            )

    def _read(
        self, texts: Sequence[str], stacks: Sequence[ResolvedStack], max_length: int, prefix: str | None
    ) -> list[tuple[list[int], bool]]:
        """Token ids of texts, each by what its stack reads by, and whether it was cut."""
        found: list[tuple[list[int], bool]] = [([], False)] * len(texts)
        for reading, places in by_reading(enumerate(stack.reading for stack in stacks)).items():
            reader = self._backbone.reader(reading)
            reader = reader if prefix is None else reader.behind(prefix)
            rows = reader.tokenize_cutting([(texts[place], None) for place in places], max_length=max_length)
            for place, row in zip(places, rows, strict=True):
                found[place] = row
        return found

    def pooled(
        self,
        ids: Sequence[Sequence[int]],
        plans: Sequence[RowPlan],
        *,
        batch_size: int = 32,
        blocks: Sequence[int] = (),
        whole: bool = False,
        progress: bool = False,
    ) -> Tensor:
        """Pooled vectors of token ids, before projections and normalisation that a backbone may have.

        With `whole`, those of an encoder-decoder are of its decoder's states behind the same ids: every block has a
        part in them, as is right for a probe.

        Shape: (len(ids), hidden_width), or that width for each of `blocks`; float32 on the CPU.

        Raises:
            ConfigError: The batch size is below 1.
            OutOfMemory: The memory does not hold a batch.
        """
        require_batch(batch_size)
        vectors = torch.empty(len(ids), self._backbone.shape.hidden_width * max(1, len(blocks)))
        by_length = sorted(range(len(ids)), key=lambda row: len(ids[row]))
        ways = f"Give a smaller batch_size (it is {batch_size})."
        shown = bar("encoding", len(ids), shown=progress)
        with torch.inference_mode(), memory_errors_told("this batch", self._backbone.device, ways), shown as advance:
            batches = self._read_ahead(ids, chunks(by_length, batch_size))
            batch = next(batches, None)
            while batch is not None:
                rows, tokens, mask = batch
                decoded = tokens if whole and self._backbone.architecture.decoder is not None else None
                own = [plans[row] for row in rows]
                texts = [] if blocks or decoded is not None else [tuple(ids[row]) for row in rows]
                hidden = self._passes.states_of_rows(tokens, mask, own, blocks, decoded, texts=texts)
                found = self._backbone.sentences.pooled(hidden, mask)
                # Read while a GPU computes this one, which is waited for then.
                batch = next(batches, None)
                vectors[rows] = found.cpu()
                advance(len(rows))
        return vectors

    def _read_ahead(
        self, ids: Sequence[Sequence[int]], batches: Iterable[Sequence[int]]
    ) -> Iterator[tuple[Sequence[int], Tensor, Tensor]]:
        """Which rows, their tokens and mask, and the words of those fetched."""
        device = self._backbone.device
        for rows in batches:
            tokens, mask = self._backbone.padded([ids[row] for row in rows])
            there = tokens.to(device)
            if works_beside(device):
                self._backbone.fetch_words(tokens, there)
            yield rows, there, mask.to(device)

    def _finished(self, pooled: Tensor) -> Tensor:
        """The backbone's own vectors. Shape: pooled (n, hidden_width), result (n, width), on the CPU."""
        sentences, device = self._backbone.sentences, self._backbone.device
        if not len(sentences.after):
            return pooled
        with torch.inference_mode():
            pieces = torch.split(pooled, _FINISHED_AT_ONCE)
            return torch.cat([sentences.finished(piece.to(device)).cpu() for piece in pieces])


def require_batch(batch_size: int) -> None:
    """Let a batch hold something.

    Raises:
        ConfigError: It does not.
    """
    if batch_size < 1:
        raise ConfigError(f"batch_size must be at least 1, found {batch_size}.")
