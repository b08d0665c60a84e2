"""From the text of an answer to the tokens that answers are compared by."""

import re
import string
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class AnswerNormaliser:
    """Lower case, then no punctuation, then no articles, then segments.

    The order is that of the published scorers and matters: punctuation goes before articles, so that `the-end` becomes
    the one word `theend` and keeps its article.

    `scheme` names the scorer in reports. `articles` is replaced by a space; None is a language without any. `segment`
    splits what is left and drops white space.
    """

    scheme: str
    is_punctuation: Callable[[str], bool]
    articles: re.Pattern[str] | None
    segment: Callable[[str], list[str]]

    def tokens(self, text: str) -> list[str]:
        """Tokens of an answer; none if it is empty or has only punctuation and articles."""
        kept = "".join(char for char in text.lower() if not self.is_punctuation(char))
        if self.articles is not None:
            kept = self.articles.sub(" ", kept)
        return self.segment(kept)


def whole_words(words: str) -> re.Pattern[str]:
    """A pattern that finds these words, given with spaces between, and not where they are parts of others."""
    return re.compile(rf"\b(?:{'|'.join(words.split())})\b")


def is_ascii_punctuation(char: str) -> bool:
    """Whether a character is ASCII punctuation, which here includes signs such as `$` and `+`."""
    return char in string.punctuation


ENGLISH_ARTICLES = whole_words("a an the")

SQUAD = AnswerNormaliser(
    scheme="SQuAD", is_punctuation=is_ascii_punctuation, articles=ENGLISH_ARTICLES, segment=str.split
)
"""SQuAD 1.1 (Rajpurkar et al. 2016, arXiv:1606.05250), made for English: answers in a language without spaces are one
token each, foreign articles and punctuation stay. Use `mlqa_normaliser` for other languages."""
