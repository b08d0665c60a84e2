"""`project_entities`: entities of the translations found in the sentences of a language."""

import logging
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from adaptkit.bounds import Bounds, require_within
from adaptkit.config import LEAST_CONFIDENCE, LEAST_COSINE, SHARE_WITHOUT
from adaptkit.data.mix import Parallels, parallel_sources
from adaptkit.data.part import in_words, parallel_part, read_parts
from adaptkit.data.swapped_parts import swapped_parts
from adaptkit.data.words import words_of
from adaptkit.errors import EmptyCorpus
from adaptkit.languages import canonical_tag
from adaptkit.model import AdaptedModel, load_model
from adaptkit.projection.entities import tags_of
from adaptkit.projection.finder import Finder, Looked, SentencePair
from adaptkit.projection.gazetteer import read_gazetteer
from adaptkit.projection.left_out import reasons_in
from adaptkit.projection.projected import ProjectedSentence, Projection
from adaptkit.projection.tagger import Tagger, tagger_on
from adaptkit.terminal.amounts import counted

_BOUNDS = {
    "least_confidence": Bounds(least=0, most=1),
    "least_cosine": Bounds(least=0, most=1),
    "share_without": Bounds(least=0, below=1),
    "limit": Bounds(least=1),
    "batch_size": Bounds(least=1),
}
_log = logging.getLogger("adaptkit")
_UNSURE = "an entity was found with too little confidence"
_NO_ENTITY = "without entities, beyond the share that is kept"
_NONE_FOUND = (
    "The task adapter found no entity in any translation: look at what it predicts for sentences in its own language, "
    "and train it longer or on more. "
)


def project_entities(
    *,
    parallel: "Parallels",
    lang: str,
    names: Tagger,
    backbone: AdaptedModel | str | os.PathLike[str] | None = None,
    source_lang: str | None = None,
    least_confidence: float = LEAST_CONFIDENCE,
    least_cosine: float = LEAST_COSINE,
    share_without: float = SHARE_WITHOUT,
    small_letters: bool = False,
    gazetteer: str | os.PathLike[str] | None = None,
    limit: int | None = None,
    batch_size: int = 32,
) -> Projection:
    """Label sentences in a language by the entities that a task adapter finds in their translations.

    An entity is looked for in the sentence as a copy (the same letters; but for capitals, marks, hyphens; with a short
    affix, as in `eKenya`; by a close spelling), and then by the frozen backbone's states: its words are linked with
    those that are each other's nearest, and must lie together. A pair is left out, with all its entities, where one of
    them has no place or an unsure one, so that no name stands unlabelled; and where both sides have a word with
    a capital letter that the task adapter did not find.

    Args:
        parallel: sentences with translations, as in `train_adapter`.
        lang: the language of the sentences.
        names: a task adapter for named entities, its folder, or a stack of what is attached to the model.
        backbone: a loaded model, or the hub id, folder or GGUF file of a backbone (None: the embedded one).
        source_lang: language of the translations, where the file has several.
        least_confidence: least confidence in an entity, between 0 and 1; copies have 0.72 to 1.0.
        least_cosine: from which words are linked that are each other's nearest, seen from the centre of their language.
        share_without: of the sentences that are kept, the share at most that has no entity.
        small_letters: keep entities without a capital in a script that has capitals, such as dates; else a task adapter
            that was trained on names takes common words for some.
        gazetteer: a folder of CLDR's names of countries and languages, as the npm package `cldr-localenames-full` has
            it: an entity that is one of them in the language of the translations (`source_lang`, else English) is
            looked for by its name in the other language too.
        limit: read only so many pairs, the first ones.
        batch_size: sentences in a batch.

    Raises:
        ConfigError: Numbers that cannot be right, pairs that are surely swapped, or an adapter that does not tag words.
        DataError: Parallel text that is not there or malformed.
        CompatibilityError: A task adapter for another backbone.
    """
    require_within(
        _BOUNDS,
        least_confidence=least_confidence,
        least_cosine=least_cosine,
        share_without=share_without,
        limit=limit,
        batch_size=batch_size,
    )
    language, likely = canonical_tag(lang), canonical_tag(source_lang or "en")
    parts = [
        parallel_part(replace(source, source_lang=source.source_lang or source_lang), language)
        for source in parallel_sources(parallel)
    ]
    rows = list(islice(read_parts(parts), limit))
    for problem in swapped_parts(parts, rows, likely=likely):
        _log.warning("warning: %s", problem)
    pairs = [SentencePair(words_of(row.translation or ""), words_of(row.text)) for row in rows]
    names_known = None if gazetteer is None else read_gazetteer(gazetteer, language=language, source=likely)
    model = backbone if isinstance(backbone, AdaptedModel) else load_model(backbone)
    left_out: Counter[str] = Counter()
    with tagger_on(model, names, "tagging", [part.source_language for part in parts]) as stack:
        finder = Finder(
            model,
            stack,
            pairs,
            least_cosine=least_cosine,
            small_letters=small_letters,
            gazetteer=names_known,
            batch_size=batch_size,
        )
        looked = list(finder.look(left_out))
    sure = [found for found in looked if _is_sure(found, least_confidence, left_out)]
    kept = _with_few_without(sure, share_without, left_out)
    if not kept:
        none_found = "" if finder.n_entities else _NONE_FOUND
        raise EmptyCorpus(
            f"{in_words(parts)}: of {counted(len(pairs), 'pair')}, none is left. {none_found}{reasons_in(left_out)}"
        )
    return Projection(
        language=language,
        sentences=tuple(map(_projected, kept)),
        left_out=dict(left_out),
        description=f"{in_words(parts)}, entities projected",
    )


def _is_sure(looked: Looked, least: float, left_out: Counter[str]) -> bool:
    sure = all(found.confidence >= least for found in looked.placed)
    left_out.update([] if sure else [_UNSURE])
    return sure


def _with_few_without(looked: Sequence[Looked], share: float, left_out: Counter[str]) -> list[Looked]:
    """At most that share of sentences without entities, evenly spread over the text."""
    without = [number for number, found in enumerate(looked) if not found.placed]
    room = int((len(looked) - len(without)) * share / (1 - share))
    if len(without) > room:
        chosen = {without[place * len(without) // room] for place in range(room)}
        left_out[_NO_ENTITY] += len(without) - len(chosen)
        dropped = set(without) - chosen
        return [found for number, found in enumerate(looked) if number not in dropped]
    return list(looked)


def _projected(looked: Looked) -> ProjectedSentence:
    return ProjectedSentence(
        words=looked.pair.sentence,
        tags=tags_of([found.span for found in looked.placed], len(looked.pair.sentence)),
        confidence=min((found.confidence for found in looked.placed), default=1.0),
        how=tuple(found.how for found in looked.placed),
        source_words=looked.pair.translation,
        source_tags=looked.tags,
    )
