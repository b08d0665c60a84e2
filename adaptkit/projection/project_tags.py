"""`project_tags`: parts of speech of the translations, given to the words of a language that go together with them."""

import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from adaptkit.bounds import Bounds, require_within
from adaptkit.config import LEAST_LINK_SCORE, MOST_TAGGED_SENTENCES
from adaptkit.data.alignment import PlacedLink, linked_places
from adaptkit.data.lexicon import as_looked_up
from adaptkit.data.mix import Parallels
from adaptkit.data.part import in_words, read_parts, swapped_parts
from adaptkit.data.words import words_of
from adaptkit.errors import EmptyCorpus
from adaptkit.languages import canonical_tag
from adaptkit.model import AdaptedModel, load_model
from adaptkit.model.stacks import StackLike
from adaptkit.projection.finder import SentencePair
from adaptkit.projection.learned_words import parts_from
from adaptkit.projection.projected_tags import ProjectedTags, TagProjection
from adaptkit.projection.tagger import Tagger, tagger_on
from adaptkit.scores import UNTAGGED
from adaptkit.terminal.amounts import counted

_BOUNDS = {
    "least_score": Bounds(least=0, most=1),
    "sentences": Bounds(least=1),
    "limit": Bounds(least=1),
    "batch_size": Bounds(least=1),
}
_LENGTHS = range(4, 41)
"""Words of a sentence that is kept: of one word nothing is learned in context, and long ones align badly."""
_LEAST_SHARE = 0.3
"""A tag that fewer of a word's links give is taken for a wrong link."""
_SURE_SHARE, _SURE_LINKS = 0.7, 3
"""A word has its commonest tag where it is not linked, if so many of its links give that one, and it has so many."""
_log = logging.getLogger("adaptkit")


def project_tags(
    *,
    parallel: "Parallels",
    lang: str,
    tagger: Tagger,
    backbone: AdaptedModel | str | os.PathLike[str] | None = None,
    source_lang: str = "en",
    least_score: float = LEAST_LINK_SCORE,
    sentences: int = MOST_TAGGED_SENTENCES,
    limit: int | None = None,
    batch_size: int = 32,
) -> TagProjection:
    """Tag the words of a language by the parts of speech that a task adapter gives their translations.

    Words are linked with those of the translations by how often they stand beside each other
    (`adaptkit.data.alignment`). A word gets the tag of the one that it is linked with (Yarowsky and Ngai 2001,
    aclanthology.org/N01-1026), unless hardly any other link of that word says so; where it has no link, the commonest
    tag of its other links, if nearly all agree (type and token constraints, after Täckström et al. 2013,
    aclanthology.org/Q13-1001). Any other word stays untagged (`_`), so that nothing is learned from it. Kept are the
    sentences with the largest share of tagged words.

    Args:
        parallel: sentences with translations, as in `train_adapter`.
        lang: the language of the sentences.
        tagger: a task adapter for parts of speech, its folder, or a stack of what is attached to the model.
        backbone: a loaded model, or the hub id, folder or GGUF file of a backbone (None: the embedded one).
        source_lang: the language that the tagger was trained in; translations in others are not read.
        least_score: how surely two words go together at least, between 0 and 1.
        sentences: how many are kept at most.
        limit: read only so many pairs, the first ones.
        batch_size: sentences in a batch.

    Raises:
        ConfigError: Numbers that cannot be right, or an adapter that does not tag parts of speech.
        DataError: Parallel text that is not there or malformed.
        EmptyCorpus: No source has that language, or no word got a tag.
        CompatibilityError: A task adapter for another backbone.
    """
    require_within(_BOUNDS, least_score=least_score, sentences=sentences, limit=limit, batch_size=batch_size)
    language = canonical_tag(lang)
    parts = parts_from(parallel, language, canonical_tag(source_lang))
    rows = list(islice(read_parts(parts), limit))
    for problem in swapped_parts(parts, rows):
        _log.warning("warning: %s", problem)
    pairs = [SentencePair(words_of(row.translation or ""), words_of(row.text)) for row in rows]
    linked = [
        (pairs[found.number], [link for link in found.links if link.score >= least_score])
        for found in linked_places([(pair.sentence, pair.translation) for pair in pairs])
    ]
    model = backbone if isinstance(backbone, AdaptedModel) else load_model(backbone)
    with tagger_on(model, tagger, "pos") as stack:
        read = list(_tagged(model, stack, linked, batch_size))
    kept = _best(list(_projected(read)), sentences)
    if not kept:
        raise EmptyCorpus(
            f"{in_words(parts)}: of {counted(len(pairs), 'pair')}, none gave a sentence of {_LENGTHS[0]} to "
            f"{_LENGTHS[-1]} words a tag. Words are linked that come back in several sentences; give more text."
        )
    return TagProjection(
        language=language,
        sentences=tuple(kept),
        n_pairs=len(read),
        description=f"{in_words(parts)}, parts of speech projected",
    )


_Read = tuple[SentencePair, Sequence[PlacedLink], Sequence[str]]
"""A pair, the links of its words, and the tags of its translation."""


def _tagged(
    model: AdaptedModel, stack: StackLike, linked: Sequence[tuple[SentencePair, list[PlacedLink]]], batch_size: int
) -> Iterator[_Read]:
    """Each pair whose translation is read whole."""
    translations = [list(pair.translation) for pair, _ in linked]
    answers = model.predict(translations, stack=stack, batch_size=batch_size)
    for (pair, links), answer in zip(linked, answers, strict=True):
        if answer.n_read == len(pair.translation):
            yield pair, links, answer.tags


def _projected(read: Sequence[_Read]) -> Iterator[ProjectedTags]:
    """The sentences of a length that is kept, with the tags that links give or their words have elsewhere."""
    seen: dict[str, Counter[str]] = {}
    for pair, links, tags in read:
        for link in links:
            seen.setdefault(as_looked_up(pair.sentence[link.ours]), Counter())[tags[link.theirs]] += 1
    for pair, links, tags in read:
        if len(pair.sentence) in _LENGTHS:
            given = {link.ours: tags[link.theirs] for link in links}
            found = [
                _tag(given.get(place), seen.get(as_looked_up(word), Counter()))
                for place, word in enumerate(pair.sentence)
            ]
            yield ProjectedTags(
                words=pair.sentence, tags=tuple(found), source_words=pair.translation, source_tags=tuple(tags)
            )


def _tag(given: str | None, seen: Counter[str]) -> str:
    """The tag of a word that a link may have `given`, where its links have been `seen` to give these."""
    total = seen.total()
    if given is not None:
        return given if seen[given] >= _LEAST_SHARE * total else UNTAGGED
    (commonest, n), *_ = seen.most_common(1) or [(UNTAGGED, 0)]
    return commonest if n >= max(_SURE_LINKS, _SURE_SHARE * total) else UNTAGGED


def _best(found: Sequence[ProjectedTags], most: int) -> list[ProjectedTags]:
    """Those with the largest share of tagged words, in their order; of as good ones the first."""
    tagged = [number for number, sentence in enumerate(found) if sentence.share]
    chosen = sorted(tagged, key=lambda number: -found[number].share)[:most]
    return [found[number] for number in sorted(chosen)]
