"""MLQA's normalisation of answers by language (Lewis et al. 2020, arXiv:1910.07475).

For comparability it does what the published mlqa_evaluation_v1.py does, with its quirks:

* In Arabic every `ال` becomes a space, also inside a word: `سالم` is the two tokens `س` and `م`. The published pattern
  has a second branch, meant for prefixes, that can never match.
* Vietnamese articles include `của` (of) and `những` (some).
* In Chinese only U+4E00 to U+9FA5 are split singly; rarer characters stay together, as do digits and Latin letters.
* Text is not brought to one Unicode form: an article written with combining marks stays.
"""

import re
import string
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from adaptkit.languages import canonical_tag
from adaptkit.scores.answer_tokens import ENGLISH_ARTICLES, AnswerNormaliser, whole_words

_MIXED = re.compile(r"[\u4e00-\u9fa5]|[^\s\u4e00-\u9fa5]+")


class _Row(NamedTuple):
    articles: re.Pattern[str] | None = None
    segment: Callable[[str], list[str]] = str.split


_NEUTRAL = _Row()
_ROWS = {
    "ar": _Row(re.compile("ال")),
    "de": _Row(whole_words("ein eine einen einem eines einer der die das den dem des")),
    "en": _Row(ENGLISH_ARTICLES),
    "es": _Row(whole_words("un una unos unas el la los las")),
    "hi": _NEUTRAL,
    "vi": _Row(whole_words("của là cái chiếc những")),
    "zh": _Row(segment=_MIXED.findall),
}


def mlqa_normaliser(language: str) -> AnswerNormaliser:
    """The normaliser for answers in `language`, which is that of the context and not of the question.

    Punctuation is every character of a Unicode category P, and `string.punctuation`. Scripts and regions share the row
    of their language. A language that is not in MLQA has a neutral row: no articles, split at white space; in one that
    is written without spaces (Thai, Japanese) F1 then hardly differs from exact match.

    Raises:
        UnknownLanguage: `language` is none.
    """
    row = _ROWS.get(canonical_tag(language).split("-")[0], _NEUTRAL)
    return AnswerNormaliser(scheme="MLQA", is_punctuation=_is_punctuation, articles=row.articles, segment=row.segment)


def _is_punctuation(char: str) -> bool:
    return char in string.punctuation or unicodedata.category(char).startswith("P")
