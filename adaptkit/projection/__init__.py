"""Labelled data for a language that has none: entities found through translations, examples translated by words."""

from adaptkit.projection.by_words import WordTranslation, translate_words
from adaptkit.projection.project import project_entities
from adaptkit.projection.projected import ProjectedSentence, Projection

__all__ = ["ProjectedSentence", "Projection", "WordTranslation", "project_entities", "translate_words"]
