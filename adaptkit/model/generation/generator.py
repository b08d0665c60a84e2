"""From prompts to texts: batches of rows that are written token by token until each has ended."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from adaptkit.backbones import Backbone
from adaptkit.backbones.out_of_memory import memory_errors_told
from adaptkit.backbones.output_projection import OutputProjection
from adaptkit.data.batching import chunks
from adaptkit.errors import ConfigError
from adaptkit.model.encoding import require_batch
from adaptkit.model.generation.generated import GeneratedPiece
from adaptkit.model.generation.steps import DecoderSteps, NextLogits
from adaptkit.model.generation.token_choice import TokenChoice, random_of
from adaptkit.model.generation.written import WrittenText
from adaptkit.model.passes import Passes
from adaptkit.model.stacks import ResolvedStack
from adaptkit.requests import Sampling
from adaptkit.terminal.amounts import row_of
from adaptkit.terminal.asking import option_name


@dataclass(frozen=True, eq=False)
class WrittenRow:
    """One row of a batch: which prompt it is of, its text so far, and its random numbers."""

    number: int
    text: WrittenText
    random: np.random.Generator

    @property
    def history(self) -> list[int]:
        """All tokens so far."""
        return [*self.text.prompt, *self.text.ids]


class Generator:
    """Lets a decoder write behind prompts. A request that has begun ends under the stacks that it began with."""

    def __init__(self, passes: Passes) -> None:
        self._passes = passes
        self._backbone = passes.backbone
        self._projection = OutputProjection(passes.backbone)

    @property
    def projection(self) -> OutputProjection:
        """The output projection, which whoever writes shares."""
        return self._projection

    @property
    def held_bytes(self) -> int:
        """What the output projection takes besides the backbone."""
        return self._projection.held_bytes

    def pieces(
        self,
        prompts: Sequence[str],
        stacks: Sequence[ResolvedStack],
        sampling: Sampling,
        *,
        max_new_tokens: int,
        batch_size: int,
        log_probabilities: bool,
    ) -> Iterator[GeneratedPiece]:
        """The texts piece by piece. What is asked wrongly is refused here, before the first piece is asked for.

        Raises:
            ConfigError: The backbone is not a decoder, a prompt fills its window, or a number that cannot be right.
            OutOfMemory: While pieces are asked for, where the memory does not hold a batch.
        """
        require_batch(batch_size)
        require_decoder(self._backbone)
        if max_new_tokens < 1:
            raise ConfigError(f"{option_name('max_new_tokens')} must be at least 1, found {max_new_tokens}.")
        for stack in stacks:
            stack.require_own_vocabulary("a text that is written")
        ids = self._backbone.tokenize_openings(prompts)
        rows = self._rows(ids, sampling, max_new_tokens)
        choice = TokenChoice(sampling, log_probabilities=log_probabilities)
        return self._in_batches(rows, stacks, choice, batch_size)

    def _rows(self, prompts: Sequence[Sequence[int]], sampling: Sampling, most: int) -> list[WrittenRow]:
        ends, window = ends_of(self._backbone), self._backbone.max_length
        seen: Counter[tuple[int, ...]] = Counter()
        rows = []
        for number, prompt in enumerate(prompts):
            room = window - len(prompt)
            if room < 1:
                where, name = row_of(number, "prompts"), self._backbone.name
                raise ConfigError(
                    f"{where} has {len(prompt):,} tokens, and {name} reads {window:,} with what it writes. Give at "
                    f"most {window - 1:,}: shorten it, or take a backbone with a longer window."
                )
            text = WrittenText(
                tokenizer=self._backbone.tokenizer,
                prompt=prompt,
                ends=ends,
                stops=sampling.stops,
                room=min(room, most),
                filled="length" if most <= room else "window",
            )
            rows.append(WrittenRow(number, text, random_of(sampling, prompt, repeated=seen[tuple(prompt)])))
            seen[tuple(prompt)] += 1
        return rows

    def _in_batches(
        self, rows: Sequence[WrittenRow], stacks: Sequence[ResolvedStack], choice: TokenChoice, batch_size: int
    ) -> Iterator[GeneratedPiece]:
        ways = f"Give a smaller batch_size (it is {batch_size}), shorter prompts, or fewer max_new_tokens."
        by_length = sorted(range(len(rows)), key=lambda number: len(rows[number].text.prompt))
        for numbers in chunks(by_length, batch_size):
            batch = [rows[number] for number in numbers]
            with torch.inference_mode(), memory_errors_told("this batch", self._backbone.device, ways):
                steps = DecoderSteps(
                    self._passes,
                    self._projection,
                    [row.text.prompt for row in batch],
                    [stacks[row.number] for row in batch],
                )
            yield from written(steps, batch, choice, self._backbone, ways)


def written(
    steps: NextLogits, rows: Sequence[WrittenRow], choice: TokenChoice, backbone: Backbone, ways: str
) -> Iterator[GeneratedPiece]:
    """The texts of one batch, piece by piece. Of the network, all that is known here is what `steps` gives.

    Raises:
        OutOfMemory: The memory of the backbone's device is not enough; `ways` says what to do.
    """
    going = list(rows)
    while going:
        # Not open while the caller has a piece: what is active is so for a thread, and the thread is the caller's.
        with torch.inference_mode(), memory_errors_told("this batch", backbone.device, ways):
            begun = bool(going[0].text.ids)
            logits = steps.after([row.text.ids[-1] for row in going]) if begun else steps.first()
            chosen = choice(logits, [row.history for row in going], [row.random for row in going])
        for place, row in enumerate(going):
            if chosen.log_probabilities is not None:
                row.text.log_probabilities.append(chosen.log_probabilities[place])
            piece = row.text.add(chosen.tokens[place])
            if row.text.stopped is not None:
                yield GeneratedPiece(row.number, piece, row.text.generated())
            elif piece:
                yield GeneratedPiece(row.number, piece)
        on = [place for place, row in enumerate(going) if row.text.stopped is None]
        if 0 < len(on) < len(going):
            with torch.inference_mode():
                steps.keep(on)
        going = [going[place] for place in on]


def ends_of(backbone: Backbone) -> frozenset[int]:
    """The token ids at which a text ends: the tokenizer's, and those that config and generation config name."""
    told = backbone.network.config.eos_token_id
    named = told if isinstance(told, list | tuple) else [told]
    return frozenset(
        end for end in (backbone.tokenizer.eos_token_id, *named, *backbone.text_ends) if isinstance(end, int)
    )


def require_decoder(backbone: Backbone) -> None:
    """Let a backbone be one that can write.

    Raises:
        ConfigError: It is an encoder, or an encoder-decoder.
    """
    if backbone.architecture.decoder is not None:
        raise ConfigError(
            f"{backbone.name} is an encoder-decoder ({backbone.shape.model_type}): it writes what belongs to a text "
            "that its encoder has read, such as a translation (model.translate), and goes on behind no prompt. Text is "
            "generated by a decoder, such as embedded/smollm2-135m."
        )
    if not backbone.architecture.causal:
        raise ConfigError(
            f"{backbone.name} is an encoder ({backbone.shape.model_type}): it reads whole texts, and cannot write. "
            "Text is generated by a decoder, such as embedded/smollm2-135m, or Qwen or Llama by its folder or hub id; "
            "adapters for it are trained on it. What an encoder gives are vectors (model.encode) and the "
            "answers of a task adapter (model.predict)."
        )
