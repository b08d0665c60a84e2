"""What a caller is told about adapters without effect, and texts that a model reads otherwise than as they stand."""

import logging
import unicodedata
from collections.abc import Iterable, Sequence

from adaptkit.model.stacks import ResolvedStack
from adaptkit.storage import Adapter
from adaptkit.terminal.asking import as_typed

_log = logging.getLogger(__name__)


class Notices:
    """Warnings in the log, one about each thing, so that a server's log does not fill with them."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def of_effects(self, adapters: Iterable[Adapter]) -> None:
        """Warn of adapters whose training found nothing better than their start, whatever is predicted with them."""
        for adapter in adapters:
            if adapter.card.training is not None and (said := adapter.card.training.without_gain):
                self._give(f"{adapter.id} without effect", f"{adapter.id} {said}.")

    def of_cuts(self, n_cut: int, n_texts: int, *, limit: int) -> None:
        """Warn of texts that are longer than the `limit` in tokens; where a caller names a length, it is meant."""
        if n_cut:
            self._give(
                "cut texts",
                f"{n_cut:,} of {n_texts:,} inputs are too long for {limit} tokens and were cut. Of "
                "later ones this is not said again.",
            )

    def of_gap(self, share: float, steps: int) -> None:
        """Warn of attributions that do not add up, after all steps that were allowed."""
        self._give(
            "a gap",
            f"the attributions of an explanation miss their sum by {100 * share:.0f} % after {steps:,} steps, so they "
            f"are rough. More may be taken: {as_typed(most_steps=4 * steps)}. Of later ones this is not said again.",
        )

    def of_forms(self, texts: Sequence[Iterable[str]], stacks: Sequence[ResolvedStack]) -> None:
        """Warn of texts in another normal form than that of the text on which adapters of their stack were trained."""
        if not any(stack.forms for stack in stacks):
            return
        for own, stack in zip(texts, stacks, strict=True):
            for name, form in stack.forms.items():
                if not all(unicodedata.is_normalized(form, text) for text in own):
                    self._give(
                        f"{name} in {form}",
                        f"{name} was trained on text in {form} ({as_typed(normalize=form)}). Some texts here are in "
                        "another "
                        "form, which it may read as other text. Normalise them: "
                        f"unicodedata.normalize({form!r}, text).",
                    )

    def _give(self, about: str, message: str) -> None:
        if about not in self._given:
            self._given.add(about)
            _log.warning(message)
