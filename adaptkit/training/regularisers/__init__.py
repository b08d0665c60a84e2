"""How regularisers train a task: one file each. What is asked of them is in `adaptkit.regularisers`."""

from adaptkit.training.regularisers.regularising import Regularising, TaskMaterial, regularising_of

__all__ = ["Regularising", "TaskMaterial", "regularising_of"]
