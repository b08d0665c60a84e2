"""Text that a decoder writes behind prompts, each under a stack of its own."""

from adaptkit.model.generation.generated import Generated, GeneratedPiece
from adaptkit.model.generation.generator import Generator
from adaptkit.model.generation.translator import Translator, Wanted, writes

__all__ = ["Generated", "GeneratedPiece", "Generator", "Translator", "Wanted", "writes"]
