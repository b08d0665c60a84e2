"""A stack as the first module of a `SentenceTransformer`; needs the package sentence-transformers."""

from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from torch import Tensor

from adaptkit.backbones.bitsandbytes_package import bitsandbytes
from adaptkit.backbones.sentence_folder import prompt_length
from adaptkit.data.columns import require_texts
from adaptkit.errors import ConfigError, NotConvertible
from adaptkit.model import AdaptedModel, StackLike
from adaptkit.version import install_command

if find_spec("peft") is not None:
    # peft, which sentence-transformers imports, would import it with a complaint that is none of the user's.
    with suppress(ConfigError):
        bitsandbytes()
try:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import InputModule
except ImportError as error:
    raise ConfigError(
        f"this needs the package sentence-transformers: {error}. Run: {install_command('sentence-transformers')}"
    ) from error

__all__ = ["SentenceTransformer", "StackModule"]

_COUNTED = "counted_mask"


class StackModule(InputModule):
    """`SentenceTransformer(modules=[StackModule(model, stack)])` gives the vectors of `model.encode(stack=stack)`.

    Texts get the backbone's own prefix, as in `model.encode`; a prompt stands in its place. The model is shared, not
    copied: what is swapped there acts here from the next batch on. `max_seq_length` may be set at any time.

    Raises:
        UnknownAdapter: The stack names an adapter that is not attached.
        ConfigError: A length that the backbone cannot read, or sentence-transformers is not installed.
    """

    def __init__(self, model: AdaptedModel, stack: StackLike = None, *, max_length: int | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        model.pinned(stack)
        longest = model.backbone.max_length
        if max_length is not None and not 1 <= max_length <= longest:
            raise ConfigError(f"max_length must be between 1 and {longest} tokens, found {max_length}.")
        self.model = model
        self.stack = stack
        self.tokenizer = model.backbone.tokenizer
        self.max_seq_length = max_length or model.backbone.longest_sentence

    def get_embedding_dimension(self) -> int:
        """The width of the vectors."""
        return self.model.sentences.out_width or self.model.backbone.shape.hidden_width

    def preprocess(
        self,
        inputs: Sequence[Any],
        prompt: str | None = None,
        task: str | None = None,  # noqa: ARG002 - `query` or `document`, which are read alike
        **options: Any,  # noqa: ANN401 - the contract of input modules
    ) -> dict[str, Tensor | Any]:
        """Token ids and mask of texts.

        Raises:
            ConfigError: An input that is no text, or an option that is not known.
        """
        if options:
            raise ConfigError(f"a stack's texts are read without options, found {', '.join(options)}.")
        require_texts(inputs, "inputs (a stack reads texts)")
        backbone = self.model.backbone
        reader = backbone.reader(self.model.pinned(self.stack).reading)
        if prompt:
            reader = reader.behind(prompt)
        ids, mask = backbone.pad(reader.tokenize(list(inputs), max_length=self.max_seq_length))
        sentences = self.model.sentences
        n_skipped = 0 if sentences.counts_prompt else prompt_length(backbone.tokenizer, reader.text_prefix)
        return {"input_ids": ids, "attention_mask": mask, _COUNTED: sentences.counted(mask, n_skipped)}

    def forward(
        self,
        features: dict[str, Tensor | Any],
        **_: Any,  # noqa: ANN401 - the contract of modules
    ) -> dict[str, Tensor | Any]:
        """Add the hidden states, and the vectors of `model.encode`. Shape: as `AdaptedModel.forward`."""
        ids, mask = features["input_ids"], features["attention_mask"]
        hidden = self.model(ids, mask, stacks=[self.stack] * len(ids))
        if (counted := features.get(_COUNTED)) is None:
            counted = self.model.sentences.counted(mask)
        vectors = self.model.sentences(hidden, counted, n_skipped=0)
        return {**features, "token_embeddings": hidden, "sentence_embedding": vectors}

    def save(
        self,
        output_path: str,
        *args: Any,  # noqa: ANN401, ARG002 - the contract of modules
        safe_serialization: bool = True,  # noqa: ARG002
        **kwargs: Any,  # noqa: ANN401, ARG002
    ) -> None:
        """Refuse.

        Raises:
            NotConvertible: Always.
        """
        raise NotConvertible(
            "sentence-transformers cannot load a stack of adapters again, so the stack was not saved in "
            f"{output_path}. Save each adapter, adapter.save(folder), and make the module anew; or fold LoRA adapters "
            "into the backbone, adaptkit.merge(model, stack).save(folder), which SentenceTransformer(folder) loads."
        )
