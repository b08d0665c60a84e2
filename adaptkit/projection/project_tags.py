"""`project_tags`: parts of speech of the translations, given to the words of a language that go together with them."""

import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from adaptkit.bounds import Bounds, require_within
from adaptkit.config import LEAST_LINK_SCORE, MOST_TAGGED_SENTENCES
from adaptkit.data.alignment import LinkedPair, linked_places
from adaptkit.data.mix import Parallels
from adaptkit.data.part import in_words, read_parts
from adaptkit.data.spread import spread
from adaptkit.data.swapped_parts import swapped_parts
from adaptkit.data.words import words_of
from adaptkit.errors import EmptyCorpus
from adaptkit.languages import canonical_tag
from adaptkit.model import AdaptedModel, load_model
from adaptkit.model.stacks import StackLike
from adaptkit.projection.learned_words import parts_from, without_spaces
from adaptkit.projection.left_out import reasons_in
from adaptkit.projection.projected_tags import TagProjection
from adaptkit.projection.tagger import Tagger, tagger_on
from adaptkit.projection.word_tags import TaggedPair, best_of, projected
from adaptkit.terminal.amounts import counted

_BOUNDS = {
    "least_score": Bounds(least=0, most=1),
    "sentences": Bounds(least=1),
    "limit": Bounds(least=1),
    "batch_size": Bounds(least=1),
}
_LOOKED_AT = 1_000
_UNREAD = "a side has no words, or more than 80; or there is no room for so many pairs"
_TOO_LONG = "longer than the backbone reads"
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

    This is annotation projection (Yarowsky and Ngai 2001, aclanthology.org/N01-1026) over a word alignment that is
    learned from the pairs themselves (`adaptkit.data.alignment`). A word gets the tag of the one that it is linked
    with, unless less than 30 % of all links of that word give the same; without a link, the commonest tag of its other
    links, if three and 70 % of them give it (type and token constraints, after Täckström et al. 2013,
    aclanthology.org/Q13-1001). Any other word stays untagged (`_`), so that nothing is learned from it. Kept are the
    sentences of 4 to 40 words with the largest share of tagged words, each once.

    Args:
        parallel: sentences with translations, as in `train_adapter`.
        lang: the language of the sentences.
        tagger: a task adapter for parts of speech, its folder, or a stack of what is attached to the model.
        backbone: a loaded model, or the hub id, folder or GGUF file of a backbone (None: the embedded one).
        source_lang: the language that the tagger was trained in; sources that state another one are not read.
        least_score: how surely two words go together at least, between 0 and 1. It does not guard against words that
            come once, which are linked with whatever is left.
        sentences: how many are kept at most.
        limit: read only so many pairs, the first ones.
        batch_size: sentences in a batch.

    Raises:
        ConfigError: Numbers that cannot be right, pairs that are surely swapped, or an adapter that does not tag parts
            of speech.
        DataError: Parallel text that is not there or malformed.
        EmptyCorpus: No source has that language, or no word got a tag.
        CompatibilityError: A task adapter for another backbone.
    """
    require_within(_BOUNDS, least_score=least_score, sentences=sentences, limit=limit, batch_size=batch_size)
    language, source = canonical_tag(lang), canonical_tag(source_lang)
    parts = parts_from(parallel, language, source, whose="the tagger", instead="a tagger")
    rows = list(islice(read_parts(parts), limit))
    pairs = [(row.text, row.translation or "") for row in rows]
    some = [(translation, text) for text, translation in map(pairs.__getitem__, spread(len(pairs), _LOOKED_AT))]
    for problem in (*swapped_parts(parts, rows, likely=source), *without_spaces(some, source, language)):
        _log.warning("warning: %s", problem)
    linked = list(linked_places(pairs, words_of))
    left_out = Counter({_UNREAD: len(pairs) - len(linked)})
    model = backbone if isinstance(backbone, AdaptedModel) else load_model(backbone)
    with tagger_on(model, tagger, "pos", [part.source_language or source for part in parts]) as stack:
        read = list(_read(model, stack, linked, least_score, batch_size))
    left_out[_TOO_LONG] = len(linked) - len(read)
    kept = best_of(projected(read), sentences, left_out)
    if not kept:
        raise EmptyCorpus(
            f"{in_words(parts)}: of {counted(len(pairs), 'pair')}, none is left. {reasons_in(left_out)} Give more "
            "text, of whole sentences: words are linked that come back in several of them."
        )
    return TagProjection(
        language=language,
        sentences=tuple(kept),
        left_out={reason: count for reason, count in left_out.items() if count},
        description=f"{in_words(parts)}, parts of speech projected",
    )


def _read(
    model: AdaptedModel, stack: StackLike, linked: Sequence[LinkedPair], least_score: float, batch_size: int
) -> Iterator[TaggedPair]:
    """Each pair whose translation is read whole, with the tags of that, and the links that are sure enough."""
    answers = model.predict([list(pair.theirs) for pair in linked], stack=stack, batch_size=batch_size)
    for pair, answer in zip(linked, answers, strict=True):
        if answer.n_read == len(pair.theirs):
            links = {link.ours: link.theirs for link in pair.links if link.score >= least_score}
            yield TaggedPair(tuple(pair.ours), tuple(pair.theirs), answer.tags, links)
