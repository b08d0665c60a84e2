"""The most frequent words of languages that people often translate from: what shows that a text is in one of them.

Articles, prepositions and the like make a fifth to a third of running text in their language, and next to nothing of
text in another one, so that some dozen sentences are enough.
"""

from collections.abc import Iterable
from functools import cache

from adaptkit.languages.tags import canonical_tag

_FREQUENT = {
    "ar": "في من على إلى أن التي الذي عن مع هذا هذه كان ما لا قد",
    "de": "der die das und in den von zu mit ist nicht ein eine auf für im dem des sich auch",
    "en": "the of and to in is that for was on with as are his from at by have not this which be were had has",
    "es": "de la que el en los se las un una por con para su del al no es lo como más",
    "fr": "de la le les et des en du un une que est pour qui dans par sur pas au ce il plus avec",
    "hi": "के में है की से को का और पर ने कि यह हैं भी एक नहीं",
    "id": "yang dan di dengan untuk dari ini itu pada tidak dalam akan ke adalah",
    "it": "di che la il un non per del della con le si una dei in sono al gli nel alla",
    "pt": "de que do da em um para com não uma os no se por mais as dos foi ao pelo",
    "ru": "и в не на что с по как из за от это был для его то",
    "sw": "ya na wa kwa ni katika la za kuwa hiyo cha kama hii alisema lakini",
}


def share_of_frequent_words(texts: Iterable[str], tag: str) -> float | None:
    """The share of the words of texts that are the most frequent ones of a language, 0 to 1; None: it is not known.

    0 where fewer than four different ones are there: one that is alike by chance is no language.
    """
    known = _frequent(canonical_tag(tag).partition("-")[0])
    if not known:
        return None
    words = [word.strip(_AROUND) for text in texts for word in text.lower().split()]
    found = [word for word in words if word in known]
    return len(found) / len(words) if len(set(found)) >= _LEAST_DIFFERENT else 0.0


def with_frequent_words() -> tuple[str, ...]:
    """The tags of the languages whose most frequent words are known."""
    return tuple(_FREQUENT)


_LEAST_DIFFERENT = 4
_AROUND = ".,;:!?\"'()[]«»“”„’‘…-–।،؟"


@cache
def _frequent(language: str) -> frozenset[str]:
    return frozenset(_FREQUENT.get(language, "").split())
