"""How a text that is to be translated stands before a backbone, and where its translation begins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from transformers import PreTrainedTokenizerBase

from adaptkit.backbones import Backbone
from adaptkit.errors import ConfigError, UnknownLanguage
from adaptkit.languages import canonical_tag, language_name


@dataclass(frozen=True)
class Asked:
    """A text, and from which language into which it is to be translated, as canonical tags."""

    text: str
    source_language: str
    target_language: str

    @property
    def line(self) -> str:
        """The text in one line: a translation ends where its line ends."""
        return " ".join(self.text.split())


class Writing(Protocol):
    """What is read, and what the writing begins with. Both as token ids."""

    def read(self, asked: Sequence[Asked]) -> list[tuple[list[int], bool]]:
        """What a backbone reads before it writes, and of each whether it was cut to what the backbone reads.

        It is the prompt of a decoder, whole, or the source of an encoder-decoder.
        """

    def opening(self, asked: Asked) -> list[int]:
        """What the decoder of an encoder-decoder begins with, whatever it would write; nothing in a decoder."""

    def written(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of translations, each with what ends it."""


@dataclass(frozen=True)
class Prompt:
    """For a decoder: `English: <text>`, and in the next line `Swahili:`, behind which it writes."""

    backbone: Backbone

    def text(self, asked: Asked) -> str:
        """The prompt in words."""
        names = language_name(asked.source_language), language_name(asked.target_language)
        return f"{names[0]}: {asked.line}\n{names[1]}:"

    def read(self, asked: Sequence[Asked]) -> list[tuple[list[int], bool]]:
        """The prompts, none of which is cut."""
        return [(row, False) for row in self.backbone.tokenize_openings([self.text(each) for each in asked])]

    def opening(self, asked: Asked) -> list[int]:
        """Nothing: the prompt is what it goes on from."""
        return []

    def written(self, texts: Sequence[str]) -> list[list[int]]:
        """Behind a space, as words stand behind a colon."""
        return _bodies(self.backbone, [f" {' '.join(text.split())}" for text in texts])


@dataclass(frozen=True)
class LanguageTokens:
    """For an encoder-decoder with a token for each language, as M2M100 and NLLB: it stands before text and translation.

    The tokenizer's own settings are left alone: which languages it was last set to is a part of its content.
    """

    backbone: Backbone
    ids: Mapping[str, int]

    def read(self, asked: Sequence[Asked]) -> list[tuple[list[int], bool]]:
        """The token of the language, the text, the end."""
        bodies = _bodies(self.backbone, [each.line for each in asked])
        most = self.backbone.max_length - 1
        rows = [(body, False) if len(body) <= most else ([*body[: most - 1], body[-1]], True) for body in bodies]
        return [([self._id(each.source_language), *row], cut) for each, (row, cut) in zip(asked, rows, strict=True)]

    def opening(self, asked: Asked) -> list[int]:
        """What every text begins with, and the token of the target language."""
        return [self.backbone.first_decoded, self._id(asked.target_language)]

    def written(self, texts: Sequence[str]) -> list[list[int]]:
        """The texts, each with its end."""
        return _bodies(self.backbone, [" ".join(text.split()) for text in texts])

    def _id(self, language: str) -> int:
        if language not in self.ids:
            raise ConfigError(
                f"the tokenizer of {self.backbone.name} has no token for {language_name(language)} ({language}), by "
                f"which it is told what to write. It has them for {', '.join(sorted(self.ids))}."
            )
        return self.ids[language]


@dataclass(frozen=True)
class Instruction:
    """For an encoder-decoder without such tokens, as T5: `translate English to Swahili: <text>`."""

    backbone: Backbone

    def read(self, asked: Sequence[Asked]) -> list[tuple[list[int], bool]]:
        """The instruction and the text."""
        texts = [
            f"translate {language_name(each.source_language)} to {language_name(each.target_language)}: {each.line}"
            for each in asked
        ]
        return self.backbone.tokenize_cutting([(text, None) for text in texts])

    def opening(self, asked: Asked) -> list[int]:
        """What every text begins with."""
        return [self.backbone.first_decoded]

    def written(self, texts: Sequence[str]) -> list[list[int]]:
        """The texts, each with its end."""
        return _bodies(self.backbone, [" ".join(text.split()) for text in texts])


def writing_of(backbone: Backbone) -> Writing:
    """The form in which a backbone is asked for translations.

    Raises:
        ConfigError: It is an encoder, which cannot write.
    """
    if not backbone.architecture.generates:
        raise ConfigError(
            f"{backbone.name} is an encoder, which reads and cannot write. Translations need a decoder, such as "
            "embedded/smollm2-135m, or an encoder-decoder, such as mT5 or NLLB."
        )
    if backbone.architecture.causal:
        return Prompt(backbone)
    ids = language_tokens(backbone.tokenizer)
    return LanguageTokens(backbone, ids) if ids else Instruction(backbone)


def language_tokens(tokenizer: PreTrainedTokenizerBase) -> dict[str, int]:
    """The ids of tokens that stand for languages, by canonical tag: `__sw__` as in M2M100, `swh_Latn` as in NLLB."""
    found: dict[str, int] = {}
    for token, number in tokenizer.get_added_vocab().items():
        code = token.removeprefix("__").removesuffix("__")
        if not code.replace("_", "").isalpha():
            continue
        try:
            found.setdefault(canonical_tag(code), number)
        except UnknownLanguage:
            continue
    return found if len(found) > 1 else {}


def _bodies(backbone: Backbone, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of texts without what a tokenizer puts around them, and the end."""
    if not texts:
        return []
    rows: list[list[int]] = backbone.tokenizer(
        list(texts), add_special_tokens=False, return_attention_mask=False, verbose=False
    )["input_ids"]
    return [[*row, backbone.special_id("eos")] for row in rows]
