"""Which backbone to take for a language and a task: those at hand side by side, and an order with its reasons."""

from adaptkit.choosing.candidate import Candidate
from adaptkit.choosing.choice import Choice
from adaptkit.choosing.choose import choose_backbone

__all__ = ["Candidate", "Choice", "choose_backbone"]
