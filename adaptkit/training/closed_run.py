"""A run without gradients: every pair is read once, then the weights are found in closed form."""

import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from adaptkit.backbones.hardware import resident_bytes
from adaptkit.errors import ConfigError
from adaptkit.layers import CountsText, TextRead
from adaptkit.terminal.interrupt import InterruptFlag
from adaptkit.training.bags import Bags
from adaptkit.training.closed_form import bytes_to_solve, solved
from adaptkit.training.display import Display
from adaptkit.training.loop import TrainingRun
from adaptkit.training.objectives.ridge import RidgeObjective


class ClosedRun(TrainingRun):
    """As every run, but for what trains: a step reads a batch, and behind the last one the weights are there.

    Raises:
        ConfigError: The adapter has no layer whose weights can be found so.
    """

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - as of every run
        super().__init__(*given, **named)
        layers = self._step.trained["adapter"]
        found = [layer for layer in layers.modules() if isinstance(layer, CountsText)]
        objective = self._step.trained["objective"]
        if len(found) != 1 or not isinstance(objective, RidgeObjective):
            raise ConfigError(f"weights in closed form are those of one layer that counts, found {len(found)}.")
        self._layer, self._ridge, self._is_solved = found[0], objective, False

    def measure_step(self, rows: list[int]) -> float:
        """Seconds that reading a batch takes, and its share of solving what all of them give."""
        with self._fast_backbone(), self._streams.forked():
            self._read(rows)
            reading = self._seconds_of(lambda: self._read(rows))
        return reading + self._solving_s() / self._settings.max_steps

    def peak_memory_bytes(self) -> int:
        """The most that a process has held, or will hold for solving beside what it holds now."""
        peak = super().peak_memory_bytes()
        if self._is_solved or self.device.type != "cpu":
            return peak
        return max(peak, resident_bytes() + bytes_to_solve(self._n_pairs, self._layer.n_rows))

    def stored(self, tensor: Tensor) -> Tensor:
        """In 16 bits: weights are rounded so as soon as they are found."""
        return super().stored(tensor).to(torch.float16)

    def _train(self, display: Display, interrupted: InterruptFlag) -> str:
        self._judge(display)
        read = []
        for rows in self._batches():
            started = time.perf_counter()
            places, weights, lacking = self._read(rows)
            read.append(((places, weights), lacking))
            elapsed = time.perf_counter() - started
            self._progress = self._progress.advanced(tokens=self._data.n_tokens(rows), elapsed_s=elapsed)
            loss = float(lacking.norm(dim=1).mean())
            self._check_finite("the loss", loss, self._progress.step)
            display.step(self._progress, self._settings.max_steps, loss)
            self._report(display, self._progress, loss=loss)
            self._stop_if_asked(display, interrupted)
        display.note(f"solving for {sum(len(lacking) for _, lacking in read):,} pairs")
        bags = Bags.of([bag for bag, _ in read], self._layer.n_rows)
        asked = self._ridge.options
        found = solved(
            bags,
            torch.cat([lacking for _, lacking in read]),
            rank=self._layer.rank,
            penalty=asked.penalty,
            least_texts=asked.least_texts,
        ).in_16_bits(asked.penalty)
        self._is_solved = True
        self._layer.start_from(found.rows, found.turned, found.shift)
        self._judge(display)
        return "found in closed form"

    def _batches(self) -> Iterator[list[int]]:
        left = self._ridge.options.most_pairs
        for rows in self._data.batches(self._settings.batch_size, 0)[: self._settings.max_steps]:
            if left > 0:
                yield rows[:left]
            left -= len(rows)

    @property
    def _n_pairs(self) -> int:
        return sum(map(len, self._batches()))

    def _read(self, rows: list[int]) -> tuple[Tensor, Tensor, Tensor]:
        """What the layer counts in these rows, and what their vectors lack. Shape: as of the layer; (rows, width)."""
        with torch.no_grad():
            batch = self._batch(rows)
            text = TextRead(batch.ids, batch.mask, self._backbone.spelling)
            lacking = self._ridge.lacking(self._step.states(batch), batch)
            return *self._layer.counted(text), lacking.float().cpu()

    def _solving_s(self) -> float:
        """Some seconds that a small share of the largest product takes, times what all would."""
        n, some = self._n_pairs, 256
        matrix = torch.eye(some)
        started = time.perf_counter()
        torch.linalg.cholesky(matrix @ matrix)
        # Below some hundred rows, the product costs what the factor does; a factor of n is a third of n cubed.
        return (time.perf_counter() - started) * (n / some) ** 3 / 4

    def _save_checkpoint(self, display: Display) -> str | None:  # noqa: ARG002 - as of every run
        return "what it has read is in memory alone."
