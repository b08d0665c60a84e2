"""What a run reads before its first step and not again: states that no weight in training changes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor

from adaptkit.heads.batch import Batch
from adaptkit.terminal.amounts import counted
from adaptkit.training.anchor_states import AnchoredRows, kept_for_anchors, with_frozen
from adaptkit.training.data import RunData
from adaptkit.training.display import Display
from adaptkit.training.kept_states import KeptStates, ReadOnce
from adaptkit.training.randomness import RandomStreams
from adaptkit.training.settings import TrainingSettings
from adaptkit.training.step import TrainingStep, without_dropout


class FirstReading:
    """Reads it, keeps it as long as it is asked for, and gives it to batches.

    `examples` are all that is trained and measured on, where a head alone is trained, and `anchored` the rows of `data`
    of which anchors ask where the frozen backbone has their tokens. `made` gives the batch of some rows.
    `elapsed_s` is how long it has taken until now.
    """

    def __init__(
        self,
        step: TrainingStep,
        streams: RandomStreams,
        settings: TrainingSettings,
        data: RunData,
        made: Callable[[list[int]], Batch],
        *,
        examples: ReadOnce,
        anchored: AnchoredRows | None,
    ) -> None:
        self._step, self._streams, self._settings, self._data, self._made = step, streams, settings, data, made
        self._unread, self._examples = examples.batches, examples.states
        self._anchored = anchored
        self._of_anchors: KeptStates | None = None
        self.elapsed_s = 0.0

    @contextmanager
    def open(self, display: Display, go_on: Callable[[], None]) -> Iterator[None]:
        """Read all that was not read yet; it is there while open. `go_on` is asked before each batch, and may raise."""
        if self._anchored is not None:
            display.note(str(self._anchored))
            with self._timed():
                self._of_anchors = self._read_for_anchors(self._anchored.batches(self._settings.batch_size), go_on)
            if self._of_anchors is None:
                display.note("they are too large for 16 bits: every step asks for them anew")
        if self._unread:
            n_items = sum(map(len, self._unread))
            display.note(f"reading {counted(n_items, 'example')} once: no weight in training changes what is read")
            self.read_examples(go_on)
        try:
            yield
        finally:
            self._examples.forget()
            self._of_anchors = None

    def read_examples(self, go_on: Callable[[], None] = lambda: None) -> None:
        """Read those of a head that trains alone, if they were not read yet."""
        unread, self._unread = self._unread, ()
        if not unread:
            return
        with self._timed():
            for rows in unread:
                go_on()
                with self._as_in_use():
                    batch = self._made(rows)
                    self._examples.add(rows, self._step.states(batch), batch.mask, batch.groups)

    @contextmanager
    def of(self, rows: list[int]) -> Iterator[None]:
        """While open, what these rows ask for is there, as in the run."""
        self.read_examples()
        if self._anchored is not None and (kept := sorted(set(rows).intersection(self._anchored.rows))):
            self._of_anchors = self._read_for_anchors([kept])
        try:
            yield
        finally:
            self._of_anchors = None

    def given(self, batch: Batch, rows: list[int]) -> Batch:
        """The batch of these rows with what was read of them."""
        if (states := self._examples.of(rows, batch.mask)) is not None:
            return replace(batch, states=states)
        return batch if self._of_anchors is None else with_frozen(batch, rows, self._of_anchors)

    @property
    def anchor_bytes(self) -> int:
        """What is to be kept for anchors takes."""
        return 0 if self._anchored is None else self._anchored.size_bytes

    def measure_anchors(self, seconds_of: Callable[[Callable[[], object]], float]) -> float:
        """Seconds that reading for anchors takes, by a batch of middle length."""
        if self._anchored is None:
            return 0.0
        batches = self._anchored.batches(self._settings.batch_size)
        rows = batches[len(batches) // 2]
        seconds = seconds_of(lambda: self._read_for_anchors([rows]))
        return seconds * self._anchored.n_tokens / self._data.n_tokens(rows)

    def _read_for_anchors(
        self, batches: list[list[int]], go_on: Callable[[], None] = lambda: None
    ) -> KeptStates | None:
        return kept_for_anchors(self._frozen_batches(batches, go_on))

    def _frozen_batches(
        self, batches: list[list[int]], go_on: Callable[[], None]
    ) -> Iterator[tuple[list[int], Tensor, Tensor]]:
        for rows in batches:
            go_on()
            with self._as_in_use():
                batch = self._made(rows)
                states = self._step.frozen_states(batch)
            yield rows, states, batch.mask

    @contextmanager
    def _as_in_use(self) -> Iterator[None]:
        with self._streams.forked(self._settings.seed), torch.no_grad(), without_dropout(self._step):
            yield

    @contextmanager
    def _timed(self) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.elapsed_s += time.perf_counter() - started
