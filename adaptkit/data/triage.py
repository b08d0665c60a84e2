"""A look at the text before training on it: can this tokenizer represent it, and what is in it?"""

import hashlib
import random
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from adaptkit.data.forms import Forms, forms_of
from adaptkit.data.fullness import fullness_of
from adaptkit.data.letters import normalized
from adaptkit.data.lexicon import Lexicon
from adaptkit.data.survey import SharedLines, SourceLines
from adaptkit.errors import ConfigError, EmptyCorpus, UnsuitableText
from adaptkit.languages import UNSPACED, canonical_tag, count_scripts, name_of_script, usual_scripts
from adaptkit.terminal.asking import as_typed

REFUSED_UNKNOWN_SENTENCES = 0.5
REFUSED_UNKNOWN_TOKENS = 0.1
REFUSED_KNOWN_WORDS = 0.05
"""A dictionary of another language knows as many words, and one of the language several times as many."""

_NOTED_UNKNOWN_SENTENCES = 0.01
_NOTED_DUPLICATES = 0.01
_NOTED_OVERLONG = 0.05
_NOTED_WRONG_SCRIPT = 0.01
_NOTED_TOKENS_PER_WORD = 4.0
_NOTED_TOKENS = 50_000
_NOTED_KNOWN_WORDS = 0.2

_ENOUGH = (
    "some hundred sentences with translations already help; without translations, a dictionary is worth more than more "
    "text"
)
"""What to say of few tokens, where the objective says nothing else."""
_BATCH_LINES = 500
_MORE_WORDS = "a larger dictionary helps, also one of several files, or one with the forms of words that the text has"


class Tokenizer(Protocol):
    """What is needed of a tokenizer; every fast tokenizer of transformers has it."""

    @property
    def unk_token_id(self) -> int | None:
        """The id that stands for what the tokenizer has no piece for; None if it has a piece for everything."""

    def __call__(
        self, lines: list[str], /, *, add_special_tokens: bool, verbose: bool
    ) -> Mapping[str, list[list[int]]]:
        """Give the token ids of each line under `input_ids`; unless `verbose`, without a word on long lines."""


@dataclass(frozen=True, kw_only=True)
class Triage:
    """What `triage` found. Shares are between 0 and 1.

    Lines, empty and duplicate ones are counted; all else is from `sampled_lines` lines drawn evenly from the whole
    (all of them where there are no more), and counts are scaled up.

    Attributes:
        lines: lines with text.
        empty_lines: lines without, not counted in `lines`.
        duplicate_lines: lines that stood before, in whatever normal form, told by a 64-bit hash.
        sampled_lines: lines that were tokenized.
        max_length: tokens of a line that training will keep, special tokens not counted.
        overlong_lines: lines with more tokens than that.
        tokens: in one epoch, lines cut at `max_length`.
        tokens_per_word: a word is what stands between spaces, so this says nothing of Thai or Chinese.
        unknown_share: tokens that are the unknown token.
        unknown_sentence_share: lines with at least one of them.
        scripts: share of the letters in each script, by its ISO 15924 code (Latn), the largest first.
        language: the language that the text should be in, or None.
        wrong_script_lines: lines most of whose letters are in another script than `language` is usually written in.
        known_word_share: running words that the dictionary knows, alone or in an entry of several; None without one.
        median_words: half of the lines have so many words or fewer; in a script without spaces, letters count.
        p90_words: nine of ten have so many or fewer.
        full_sentences: share of the lines that end like a sentence and have at least four words (or eight letters).
        sources: what each source of a mix has, counted on all of its lines.
        shared: how many different lines two sources have in common.
        forms: which normal forms the sampled lines are in, and whether the tokenizer tells them apart.
    """

    lines: int
    empty_lines: int
    duplicate_lines: int
    sampled_lines: int
    max_length: int
    overlong_lines: int
    tokens: int
    tokens_per_word: float
    unknown_share: float
    unknown_sentence_share: float
    scripts: Mapping[str, float]
    language: str | None
    wrong_script_lines: int
    forms: Forms
    known_word_share: float | None = None

    def known_words(self) -> str:
        """Say how much of the text the dictionary knows; empty without one."""
        return (
            "" if self.known_word_share is None else f"{self.known_word_share:.1%} of the words are in the dictionary"
        )

    median_words: float = 0.0
    p90_words: float = 0.0
    full_sentences: float = 0.0
    sources: tuple[SourceLines, ...] = ()
    shared: tuple[SharedLines, ...] = ()

    def problems(self, *, enough: str = "") -> list[str]:
        """Say in a sentence each what is worth a look before training; `enough` is said beside few tokens."""
        return [*self.amount_problems(enough=enough), *self.reading_problems()]

    def amount_problems(self, *, enough: str = "") -> list[str]:
        """Those of how much sentences there are, and how often. Words and names are few, and come back."""
        duplicates = self.duplicate_lines / self.lines
        notes = [
            (duplicates >= _NOTED_DUPLICATES, f"{duplicates:.1%} of the lines are duplicates; remove them."),
            (self.tokens < _NOTED_TOKENS, f"{self.tokens:,} tokens are few: {enough or _ENOUGH}."),
        ]
        return [note for noted, note in notes if noted]

    def reading_problems(self) -> list[str]:
        """Those of how the text is read."""
        overlong, wrong = (count / self.lines for count in (self.overlong_lines, self.wrong_script_lines))
        unknown = f"{self.unknown_sentence_share:.1%} of the lines have tokens that the tokenizer does not know."
        notes = [
            (self.unknown_sentence_share >= _NOTED_UNKNOWN_SENTENCES, unknown),
            (
                overlong >= _NOTED_OVERLONG,
                f"{overlong:.1%} of the lines are cut at {self.max_length} tokens; split them.",
            ),
            (wrong >= _NOTED_WRONG_SCRIPT, f"{wrong:.1%} of the lines are not in the usual script of {self.language}."),
            (
                self.tokens_per_word > _NOTED_TOKENS_PER_WORD and next(iter(self.scripts), None) not in UNSPACED,
                f"The tokenizer cuts a word into {self.tokens_per_word:.1f} tokens, so that everything takes long.",
            ),
        ]
        if self.known_word_share is not None and self.known_word_share < _NOTED_KNOWN_WORDS:
            notes.append((True, f"{self.known_words()}, which is little: {_MORE_WORDS}."))
        forms = self.forms.problem()
        return [note for noted, note in notes if noted] + ([forms] if forms else [])

    def refusal(self) -> str | None:
        """Say why nothing useful can be trained on this text with this tokenizer and dictionary; None if it can."""
        if self.known_word_share is not None and self.known_word_share < REFUSED_KNOWN_WORDS:
            return (
                f"the dictionary knows {self.known_word_share:.1%} of the words of this text, as one of another "
                "language would: check that it is of the language, has its words in the first column, and uses the "
                "spelling of the text. Else "
                f"{_MORE_WORDS}; leave it out; or go on all the same with {as_typed(force=True)}."
            )
        if self.unknown_sentence_share < REFUSED_UNKNOWN_SENTENCES and self.unknown_share < REFUSED_UNKNOWN_TOKENS:
            return None
        shares = {name_of_script(script): share for script, share in self.scripts.items() if share >= 0.01}
        letters = ", ".join(f"{script} {share:.0%}" for script, share in shares.items())
        return (
            f"the tokenizer has no pieces for much of this text: {self.unknown_sentence_share:.1%} of the lines have "
            f"unknown tokens, and {self.unknown_share:.1%} of all tokens are unknown (letters: {letters or 'none'}). "
            "An adapter cannot learn what its backbone cannot read. Let it bring pieces of its own, learned from the "
            f"text: {as_typed(new_pieces=4000)} for a language adapter. Or choose a backbone whose tokenizer knows "
            f"this script, give the text romanised, or go on all the same with {as_typed(force=True)}."
        )

    def require(self, *, force: bool = False) -> None:
        """Stop unless the text can be trained on, or `force` says to go on.

        Raises:
            UnsuitableText: there is a `refusal`.
        """
        if not force and (reason := self.refusal()) is not None:
            raise UnsuitableText(reason)


def triage(
    lines: Iterable[str],
    tokenizer: Tokenizer,
    *,
    max_length: int,
    sample_lines: int = 20_000,
    language: str | None = None,
    lexicon: Lexicon | None = None,
) -> Triage:
    """Read the text once (eight bytes a line stay in memory) and tokenize a sample of it.

    Args:
        lines: the text, for example `corpus.lines()`.
        tokenizer: that of the backbone.
        max_length: tokens of a line that training will keep, special tokens not counted.
        sample_lines: tokenize at most so many lines, drawn evenly and always the same ones.
        language: compare the script of the lines with the usual one of this language (a name or code).
        lexicon: count how many of the words are in this dictionary.

    Raises:
        EmptyCorpus: there is no line with text.
        ConfigError: `max_length` or `sample_lines` is below 1; UnknownLanguage: `language` is none.
    """
    if min(max_length, sample_lines) < 1:
        raise ConfigError(f"max_length is {max_length} and sample_lines {sample_lines}; give at least 1 of each.")
    tag = None if language is None else canonical_tag(language)
    reading = _Reading(sample_lines)
    reading.read(lines)
    if not reading.sample:
        raise EmptyCorpus(f"there is no text to look at ({reading.empty_lines} empty lines).")
    unknown_id = -1 if tokenizer.unk_token_id is None else tokenizer.unk_token_id
    lengths, unknown = np.array([(len(ids), ids.count(unknown_id)) for ids in _tokenize(reading.sample, tokenizer)]).T
    scripts = [count_scripts(line) for line in reading.sample]
    scale = len(reading.hashes) / len(reading.sample)
    n_words, are_full = zip(*map(fullness_of, reading.sample), strict=True)
    median, p90 = np.percentile(n_words, (50, 90)).tolist()
    return Triage(
        lines=len(reading.hashes),
        empty_lines=reading.empty_lines,
        duplicate_lines=len(reading.hashes) - len(np.unique(np.frombuffer(reading.hashes, dtype=np.uint64))),
        sampled_lines=len(reading.sample),
        max_length=max_length,
        overlong_lines=round(scale * np.count_nonzero(lengths > max_length)),
        tokens=round(scale * np.minimum(lengths, max_length).sum()),
        tokens_per_word=float(lengths.sum() / sum(len(line.split()) for line in reading.sample)),
        unknown_share=float(unknown.sum() / max(lengths.sum(), 1)),
        unknown_sentence_share=float(np.count_nonzero(unknown) / len(unknown)),
        scripts=_shares(scripts),
        language=tag,
        wrong_script_lines=round(scale * _count_outside(scripts, usual_scripts(tag) if tag else frozenset())),
        forms=forms_of(reading.sample, lambda lines: list(_tokenize(lines, tokenizer))),
        known_word_share=None if lexicon is None else _known_share(reading.sample, lexicon),
        median_words=median,
        p90_words=p90,
        full_sentences=sum(are_full) / len(reading.sample),
    )


class _Reading:
    """One pass over the lines: a hash of each, and an even sample (algorithm R, seeded)."""

    def __init__(self, sample_lines: int) -> None:
        self.hashes = array("Q")
        self.empty_lines = 0
        self.sample: list[str] = []
        self._sample_lines = sample_lines
        self._random = random.Random(0)  # noqa: S311 - draws a sample, keeps no secret

    def read(self, lines: Iterable[str]) -> None:
        for line in map(str.strip, lines):
            if not line:
                self.empty_lines += 1
                continue
            digest = hashlib.blake2b(normalized(line, "NFC").encode(), digest_size=8).digest()
            self.hashes.append(int.from_bytes(digest, "little"))
            self._offer(line)

    def _offer(self, line: str) -> None:
        if len(self.sample) < self._sample_lines:
            self.sample.append(line)
        elif (place := self._random.randrange(len(self.hashes))) < self._sample_lines:
            self.sample[place] = line


def _tokenize(lines: Sequence[str], tokenizer: Tokenizer) -> Iterator[list[int]]:
    for start in range(0, len(lines), _BATCH_LINES):
        batch = list(lines[start : start + _BATCH_LINES])
        yield from tokenizer(batch, add_special_tokens=False, verbose=False)["input_ids"]


def _known_share(lines: Iterable[str], lexicon: Lexicon) -> float:
    known, words = np.array([lexicon.known(line) for line in lines]).sum(axis=0)
    return float(known / max(words, 1))


def _shares(scripts: Iterable[Counter[str]]) -> dict[str, float]:
    total: Counter[str] = Counter()
    for counts in scripts:
        total.update(counts)
    return {script: count / total.total() for script, count in total.most_common()}


def _count_outside(scripts: Iterable[Counter[str]], usual: frozenset[str]) -> int:
    """Count the lines most of whose letters are in none of the usual scripts; 0 where those are not known."""
    if not usual:
        return 0
    inside = ((sum(counts[script] for script in usual), counts.total()) for counts in scripts)
    return sum(2 * usual_letters < letters for usual_letters, letters in inside)
