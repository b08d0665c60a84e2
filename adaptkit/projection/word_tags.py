"""Which tag each word of a sentence has, of the tags of its translation and of all that is said of that word."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from adaptkit.data.lexicon import as_looked_up
from adaptkit.projection.projected_tags import ProjectedTags
from adaptkit.scores import UNTAGGED

_LENGTHS = range(4, 41)
"""Words of a sentence that is kept: of one word nothing is learned in context, and long ones align badly."""
_LEAST_SHARE = 0.3
"""A tag that fewer of a word's links give is taken for that of a wrong link."""
_SURE_SHARE, _SURE_LINKS = 0.7, 3
"""A word has its commonest tag where it is not linked, if so many of its links give that one, by share and number."""
_LENGTH = f"of fewer than {_LENGTHS[0]} or more than {_LENGTHS[-1]} words"
_NO_TAG = "no word got a tag"
_REPEATED = "there already"
_BEYOND = "with fewer words tagged than those that are kept"


class TaggedPair(NamedTuple):
    """A sentence and its translation, as words, with the tags of the latter; links go from place to place."""

    words: tuple[str, ...]
    source_words: tuple[str, ...]
    source_tags: tuple[str, ...]
    links: Mapping[int, int]

    @property
    def given(self) -> Mapping[int, str]:
        """The tags that links give, by place."""
        tags = {place: self.source_tags[other] for place, other in self.links.items()}
        return {place: tag for place, tag in tags.items() if tag != UNTAGGED}


def projected(pairs: Sequence[TaggedPair]) -> Iterator[ProjectedTags]:
    """The sentences with the tags that their links give, or that their words have elsewhere."""
    seen: dict[str, Counter[str]] = {}
    for pair in pairs:
        for place, tag in pair.given.items():
            seen.setdefault(as_looked_up(pair.words[place]), Counter())[tag] += 1
    for pair in pairs:
        given = pair.given
        tags = [tag_of(given.get(place), seen.get(as_looked_up(word), {})) for place, word in enumerate(pair.words)]
        yield ProjectedTags(
            words=pair.words, tags=tuple(tags), source_words=pair.source_words, source_tags=pair.source_tags
        )


def tag_of(given: str | None, seen: Mapping[str, int]) -> str:
    """The tag of a word that its link may have `given`, where all its links have been `seen` to give these."""
    total = sum(seen.values())
    if given is not None:
        return given if seen[given] >= _LEAST_SHARE * total else UNTAGGED
    commonest = max(seen, key=lambda tag: seen[tag], default=UNTAGGED)
    sure = max(_SURE_LINKS, _SURE_SHARE * total)
    return commonest if seen.get(commonest, 0) >= sure else UNTAGGED


def best_of(found: Iterator[ProjectedTags], most: int, left_out: Counter[str]) -> list[ProjectedTags]:
    """Those with the largest share of tagged words, each once, in their order; of as good ones the first."""
    good: dict[tuple[str, ...], ProjectedTags] = {}
    for sentence in found:
        if len(sentence.words) not in _LENGTHS:
            left_out[_LENGTH] += 1
        elif not sentence.share:
            left_out[_NO_TAG] += 1
        elif sentence.words in good:
            left_out[_REPEATED] += 1
        else:
            good[sentence.words] = sentence
    ranked = sorted(enumerate(good.values()), key=lambda numbered: -numbered[1].share)
    left_out[_BEYOND] += len(ranked[most:])
    return [sentence for _, sentence in sorted(ranked[:most], key=lambda numbered: numbered[0])]
