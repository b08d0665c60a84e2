"""A frozen backbone with adapters attached to it."""

from adaptkit.model.adapted import AdaptedModel
from adaptkit.model.ensembles import ResolvedEnsemble
from adaptkit.model.filling import FilledMask, FilledToken
from adaptkit.model.generation import Generated, GeneratedPiece
from adaptkit.model.loading import load_model
from adaptkit.model.search_index import AS_CORPUS, SearchIndex
from adaptkit.model.stacks import ResolvedStack, StackLike

__all__ = [
    "AS_CORPUS",
    "AdaptedModel",
    "FilledMask",
    "FilledToken",
    "Generated",
    "GeneratedPiece",
    "ResolvedEnsemble",
    "ResolvedStack",
    "SearchIndex",
    "StackLike",
    "load_model",
]
