"""Text that a decoder writes behind prompts, each under a stack of its own."""

from adaptkit.model.generation.generated import Generated, GeneratedPiece
from adaptkit.model.generation.generator import Generator

__all__ = ["Generated", "GeneratedPiece", "Generator"]
