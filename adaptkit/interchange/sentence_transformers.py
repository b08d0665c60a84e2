"""A stack as a `SentenceTransformer`."""

from typing import TYPE_CHECKING

from adaptkit.model import AdaptedModel, StackLike

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


def as_sentence_transformer(
    model: AdaptedModel, stack: StackLike = None, *, max_length: int | None = None
) -> "SentenceTransformer":
    """A `SentenceTransformer` whose vectors are those of `model.encode(texts, stack=stack)`, on the model's device.

    It shares the model. For other modules behind it, take `adaptkit.interchange.stack_module.StackModule` yourself.

    Raises:
        UnknownAdapter: The stack names an adapter that is not attached.
        ConfigError: A length that the backbone cannot read, or sentence-transformers is not installed.
    """
    # Its import takes seconds, and adaptkit does without it.
    from adaptkit.interchange.stack_module import SentenceTransformer, StackModule

    return SentenceTransformer(
        modules=[StackModule(model, stack, max_length=max_length)],
        device=str(model.backbone.device),
        prompts=dict(model.backbone.prompts) or None,
    )
