"""A frozen backbone with adapters attached to it. The file to read first.

texts ── tokenizer ── backbone ── hidden states ── mean over real tokens, or the backbone's own pooling ── vectors
                         │
         forward hooks at sites: the layers of the active stack act, in order

What a model can do stands in `abilities`, one noun a file, each call with its options: attachments, compositions
(stacks), vectors, answers, the reasons for them, texts, masks. What a request asks goes down from there: a stack is
looked up (`lookup`) in what is attached (`registry`), read from the zoo where it is not (`paging`), proven there
(`proof`), and acts on forward passes (`passes`), from which vectors (`encoding`), answers (`prediction`), the reasons
for them (`explaining`) and texts (`generation`) are made.
"""

import os
from collections.abc import Callable
from typing import Any

from torch import Tensor

from adaptkit.backbones import MemoryReport, TrimmedEmbeddings, memory_of
from adaptkit.later import later
from adaptkit.model.abilities import Answers, Attachments, Compositions, Masks, Reasons, Texts, Vectors
from adaptkit.terminal.amounts import counted

_load = later("adaptkit.model.loading", "load_model")


class AdaptedModel(Attachments, Vectors, Answers, Reasons, Texts, Masks, Compositions):
    """A backbone that stays as loaded, and the adapters attached to it. Nothing acts until a stack is active."""

    @classmethod
    def from_pretrained(
        cls,
        name_or_path: str | os.PathLike[str] | None = None,
        **options: Any,  # noqa: ANN401 - those of load_model
    ) -> "AdaptedModel":
        """`adaptkit.load_model` with its options, by the name that it has in transformers and peft."""
        loaded: AdaptedModel = _load()(name_or_path, **options)
        return loaded

    def train(self, mode: bool = True) -> "AdaptedModel":
        """Set the adapters' mode; the frozen backbone stays in evaluation, as its dropout would only add noise."""
        self.training = mode
        self.adapters.train(mode)
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "AdaptedModel":
        """What `to`, `half` and their like are made of."""
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self._registry.forget_all_plans()
        if self._passes.banks is not None:
            self._passes.banks.forget()
        return self

    def __repr__(self) -> str:
        """Backbone, how it is held, and what is attached, in three lines."""
        shape = self.backbone.shape
        return (
            f"AdaptedModel on {self.backbone.name} ({shape.model_type}, {counted(shape.n_blocks, 'block')} of width "
            f"{shape.hidden_width:,})\n"
            f"  held as {self.backbone.held_as}, on {self.device}\n"
            f"  attached: {', '.join(self.attached) or 'nothing'}"
        )

    @property
    def n_replaced_tokens(self) -> int:
        """Tokens read so far that a trimmed vocabulary had dropped, and that their letters' pieces stood in for."""
        return sum(module.n_replaced for module in self.network.modules() if isinstance(module, TrimmedEmbeddings))

    def memory(self) -> MemoryReport:
        """Resident bytes by part: the backbone's embeddings, attention and feed-forward layers, adapters and heads.

        A decoder that has generated may hold its output projection too.
        """
        held = self._generator.held_bytes
        parts = {**memory_of(self.network), **({"projection": held} if held else {})}
        return MemoryReport({**parts, **self._registry.memory()})

    def gradient_checkpointing(self, on: bool) -> None:
        """Recompute activations in backward instead of keeping them: less memory, about a third more time."""
        self._passes.recompute(on)
