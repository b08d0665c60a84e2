"""Translations: each text in the form in which its backbone is asked, under a stack of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import torch

from adaptkit.backbones.out_of_memory import memory_errors_told
from adaptkit.data.batching import chunks
from adaptkit.errors import ConfigError
from adaptkit.heads.writing import Asked, Prompt, writing_of
from adaptkit.languages import canonical_tag, language_name
from adaptkit.model.encoding import require_batch
from adaptkit.model.generation.encoder_decoder_steps import EncoderDecoderSteps
from adaptkit.model.generation.generated import Generated
from adaptkit.model.generation.generator import Generator, WrittenRow, ends_of, written
from adaptkit.model.generation.token_choice import TokenChoice, random_of
from adaptkit.model.generation.written import WrittenText
from adaptkit.model.notices import Notices
from adaptkit.model.passes import Passes
from adaptkit.model.stacks import ResolvedStack
from adaptkit.requests import Sampling
from adaptkit.task_types import HeadConfig
from adaptkit.terminal.asking import as_typed, option_name

MAX_TRANSLATED_TOKENS = 256
"""The most tokens of a translation, unless something else is asked for."""
_LINE = Sampling(stop="\n")


@dataclass(frozen=True)
class Wanted:
    """What is to be translated, and from and into which language; None: as the stack's adapter was trained."""

    text: str
    source_language: str | None = None
    target_language: str | None = None


class Translator:
    """Lets a backbone that writes translate. A translation is one line."""

    def __init__(self, passes: Passes, generator: Generator) -> None:
        self._passes, self._generator = passes, generator
        self._backbone = passes.backbone

    def translations(
        self,
        wanted: Sequence[Wanted],
        stacks: Sequence[ResolvedStack],
        notices: Notices,
        *,
        max_new_tokens: int,
        batch_size: int,
    ) -> list[str]:
        """One for each, in order. A warning is given of texts that an encoder does not read whole, or in another form.

        Raises:
            ConfigError: The backbone cannot write, or it is not known or not trained which languages are meant.
            OutOfMemory: The memory does not hold a batch.
        """
        require_batch(batch_size)
        writing = writing_of(self._backbone)
        if max_new_tokens < 1:
            raise ConfigError(f"{option_name('max_new_tokens')} must be at least 1, found {max_new_tokens}.")
        notices.of_forms([[one.text] for one in wanted], stacks)
        asked = [_asked(one, stack) for one, stack in zip(wanted, stacks, strict=True)]
        if isinstance(writing, Prompt):
            pieces = self._generator.pieces(
                [writing.text(each) for each in asked],
                stacks,
                _LINE,
                max_new_tokens=max_new_tokens,
                batch_size=batch_size,
                log_probabilities=False,
            )
            found = {piece.prompt: piece.generated for piece in pieces if piece.generated is not None}
        else:
            read, openings = writing.read(asked), [writing.opening(each) for each in asked]
            notices.of_cuts(sum(cut for _, cut in read), len(read), limit=self._backbone.max_length)
            sources = [ids for ids, _ in read]
            by_length = sorted(range(len(asked)), key=lambda number: len(sources[number]))
            batches = (
                self._batch(numbers, sources, openings, stacks, max_new_tokens, batch_size)
                for numbers in chunks(by_length, batch_size)
            )
            found = dict(chain.from_iterable(batches))
        return [found[number].text.strip() for number in range(len(wanted))]

    def _batch(
        self,
        numbers: Sequence[int],
        sources: Sequence[Sequence[int]],
        openings: Sequence[Sequence[int]],
        stacks: Sequence[ResolvedStack],
        max_new_tokens: int,
        batch_size: int,
    ) -> Iterator[tuple[int, Generated]]:
        """The translations of an encoder-decoder, with their numbers."""
        ways = f"Give a smaller batch_size (it is {batch_size}), or fewer max_new_tokens."
        rows = [self._row(number, openings[number], max_new_tokens) for number in numbers]
        with torch.inference_mode(), memory_errors_told("this batch", self._backbone.device, ways):
            steps = EncoderDecoderSteps(
                self._passes,
                self._generator.projection,
                [sources[number] for number in numbers],
                [openings[number] for number in numbers],
                [stacks[number] for number in numbers],
            )
        choice = TokenChoice(_LINE, log_probabilities=False)
        for piece in written(steps, rows, choice, self._backbone, ways):
            if piece.generated is not None:
                yield piece.prompt, piece.generated

    def _row(self, number: int, opening: Sequence[int], most: int) -> WrittenRow:
        room = self._backbone.max_length - len(opening)
        text = WrittenText(
            tokenizer=self._backbone.tokenizer,
            prompt=opening,
            ends=ends_of(self._backbone),
            stops=_LINE.stops,
            room=min(room, most),
            filled="length" if most <= room else "window",
        )
        return WrittenRow(number, text, random_of(_LINE, opening, repeated=number))


def _asked(wanted: Wanted, stack: ResolvedStack) -> Asked:
    """A text with its languages: those that are named, or those that the adapter on top was trained in.

    Raises:
        ConfigError: Neither says them, or the adapter was trained in others.
    """
    head = None if stack.head is None else stack.head[1]
    if head is not None and not head.row.writes:
        raise ConfigError(
            f"{stack.stack} ends in an adapter for {head.task_type}, which translates nothing: leave it out, or put "
            "one on top that was trained to translate."
        )
    stack.require_own_vocabulary("a translation")
    source = _language("source_lang", wanted.source_language, [] if head is None else [head.source_language], stack)
    target = _language("to", wanted.target_language, [] if head is None else list(head.target_languages), stack)
    return Asked(wanted.text, source, target)


def _language(name: str, given: str | None, trained: list[str], stack: ResolvedStack) -> str:
    tag = None if given is None else canonical_tag(given)
    if tag is None and len(trained) == 1:
        return trained[0]
    names = ", ".join(f"{language_name(each)} ({each})" for each in trained)
    if tag is None:
        why = f"was trained in {names}" if trained else "has no adapter that was trained to translate"
        raise ConfigError(f"the stack {stack.stack} {why}, so say which language is meant: {as_typed(**{name: 'sw'})}.")
    if trained and tag not in trained:
        what = "from" if name == "source_lang" else "into"
        raise ConfigError(
            f"{name} is {language_name(tag)} ({tag}), and the adapter on top of {stack.stack} was trained to translate "
            f"{what} {names}. Train one on pairs of these languages, or name another stack."
        )
    return tag


def bound_of_answers(max_answer_tokens: int | None, max_length: int | None) -> int:
    """The most tokens of each translation, where translations are the answers of a head.

    Raises:
        ConfigError: The bound is below 1, or a length is named to which texts were to be cut.
    """
    if max_length is not None:
        raise ConfigError(
            f"{option_name('max_length')} cuts the texts of heads that answer at once, and a translation is of the "
            f"whole text. Leave it out; {option_name('max_answer_tokens')} bounds the length of answers."
        )
    if max_answer_tokens is not None and max_answer_tokens < 1:
        raise ConfigError(f"{option_name('max_answer_tokens')} must be at least 1, found {max_answer_tokens}.")
    return MAX_TRANSLATED_TOKENS if max_answer_tokens is None else max_answer_tokens


def writes(heads: Sequence[HeadConfig]) -> bool:
    """Whether any of these answers by writing.

    Raises:
        ConfigError: Some do and some do not.
    """
    kinds = {head.row.writes for head in heads}
    if len(kinds) > 1:
        raise ConfigError(
            "some of these stacks translate, and some end in a head that answers at once; ask for them apart."
        )
    return True in kinds
