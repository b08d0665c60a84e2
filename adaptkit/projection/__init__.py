"""Labelled data for a language that has none: tags brought over through translations, examples translated by words."""

from adaptkit.projection.by_words import WordTranslation, translate_words
from adaptkit.projection.project import project_entities
from adaptkit.projection.project_tags import project_tags
from adaptkit.projection.projected import ProjectedSentence, Projection
from adaptkit.projection.projected_tags import ProjectedTags, TagProjection

__all__ = [
    "ProjectedSentence",
    "ProjectedTags",
    "Projection",
    "TagProjection",
    "WordTranslation",
    "project_entities",
    "project_tags",
    "translate_words",
]
