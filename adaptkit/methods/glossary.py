"""Words with their translations, whose glosses are read behind each text: what is asked for, what an adapter is."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import ClassVar, Literal

from adaptkit.config import MAX_GLOSS_LENGTH, MAX_GLOSS_WORDS, MAX_GLOSSARY, MAX_GLOSSARY_BYTES, SiteName, SiteShape
from adaptkit.data.lexicon import Lexicon, read_words
from adaptkit.methods.checks import require
from adaptkit.methods.method import Method, MethodOptions, Surroundings, TensorShapes
from adaptkit.terminal.amounts import counted
from adaptkit.terminal.plain_text import is_one_line, printable


@dataclass(frozen=True, kw_only=True, repr=False)
class GlossaryConfig:
    """Words of a language, each with one translation; none until they are learned.

    Behind a text, its gloss is read: the text again, with the words that are known here translated. With `stems`
    "begin", a word that is not here stands for the longest one with which it begins (of at least four letters, and half
    of it).

    Raises:
        ConfigError: Too many words, one twice, one that is empty or too long, or one that holds what is not printed.
    """

    words: tuple[str, ...] = ()
    translations: tuple[str, ...] = ()
    stems: Literal["none", "begin"] = "none"
    sites: ClassVar[tuple[SiteName, ...]] = ()
    blocks: ClassVar[None] = None
    fuses: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        n = len(self.words)
        require(n <= MAX_GLOSSARY, f"a glossary has at most {MAX_GLOSSARY:,} words, found {n:,}.")
        found = f"there are {n:,} words and {len(self.translations):,} translations; each word has one."
        require(len(self.translations) == n, found)
        texts = (*self.words, *self.translations)
        wrong = next((text for text in texts if not may_be_glossed(text)), None)
        require(wrong is None, f"a glossary has {wrong!r:.80}; a word has 1 to {MAX_GLOSS_LENGTH} printed characters.")
        n_bytes = len("".join(texts).encode())
        require(n_bytes <= MAX_GLOSSARY_BYTES, f"words have at most {MAX_GLOSSARY_BYTES:,} bytes, found {n_bytes:,}.")
        keys = [tuple(word.key for word in read_words(text)) for text in self.words]
        unread = next((word for word, key in zip(self.words, keys, strict=True) if not key), None)
        require(unread is None, f"a glossary has {unread!r:.80}, in which there is no letter: no text has such a word.")
        long = next((word for word, key in zip(self.words, keys, strict=True) if len(key) > MAX_GLOSS_WORDS), None)
        require(long is None, f"a glossary has {long!r:.80}; what is looked up has at most {MAX_GLOSS_WORDS} words.")
        require(len(set(keys)) == n, "a word is there twice; capital letters make no other word.")

    def __repr__(self) -> str:
        return f"<{counted(len(self), 'word')} with translations, {self.sha256[:12]}>"

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def sha256(self) -> str:
        """Identity of words, translations and what is done with their forms."""
        return hashlib.sha256(self._content).hexdigest()

    @property
    def size_bytes(self) -> int:
        """What all of it takes as JSON."""
        return len(self._content)

    @property
    def _content(self) -> bytes:
        return json.dumps([self.words, self.translations, self.stems], ensure_ascii=False).encode()

    def __hash__(self) -> int:
        return hash(self.sha256)

    def tensors(self, place: SiteShape) -> TensorShapes:  # noqa: ARG002 - as every config
        """None at any site."""
        return {}

    def gloss(self, text: str) -> str:
        """The text with the words that are known translated; empty where none is."""
        glossed = self._lexicon.glossed(text, Random(0)) if self.words else text  # noqa: S311 - nothing secret
        return "" if glossed == text else glossed

    @cached_property
    def _lexicon(self) -> Lexicon:
        return Lexicon(tuple(zip(self.words, self.translations, strict=True)), stems=self.stems)


def may_be_glossed(text: str) -> bool:
    """Whether this may be a word of a glossary, or the translation of one: one line that is printed, not too long."""
    return 0 < len(text) <= MAX_GLOSS_LENGTH and is_one_line(text) and printable(text) == text


@dataclass(frozen=True, kw_only=True)
class Glossary(MethodOptions):
    """A glossary, learned from translations; it has no layers and no weights."""

    def config(self, there: Surroundings) -> GlossaryConfig:  # noqa: ARG002 - as all options
        """A glossary before its words are learned."""
        return GlossaryConfig()


GLOSSARY = Method(
    name="glossary",
    config=GlossaryConfig,
    options=Glossary,
    kinds=("language",),
    why_kinds="method 'glossary' knows the words of a language, and trains no {kind} adapter.",
    format_version=11,
    paper="a glossary, read behind each text: words aligned as by Brown et al. 1993, aclanthology.org/J93-2003",
    closed_form="alignment",
)
