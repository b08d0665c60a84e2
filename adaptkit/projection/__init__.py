"""Entities of one side of parallel text found on the other, as labelled data in a language that has none."""

from adaptkit.projection.project import project_entities
from adaptkit.projection.projected import ProjectedSentence, Projection

__all__ = ["ProjectedSentence", "Projection", "project_entities"]
