"""What a model can do, one noun a file; `AdaptedModel` is all of them."""

from adaptkit.model.abilities.answers import Answers
from adaptkit.model.abilities.attachments import Attachments
from adaptkit.model.abilities.compositions import Compositions
from adaptkit.model.abilities.masks import Masks
from adaptkit.model.abilities.reasons import Reasons
from adaptkit.model.abilities.texts import Texts
from adaptkit.model.abilities.vectors import Vectors

__all__ = ["Answers", "Attachments", "Compositions", "Masks", "Reasons", "Texts", "Vectors"]
