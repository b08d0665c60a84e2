"""A stack with a head as a transformers pipeline."""

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, TypeAlias

import torch
from torch import Tensor, nn
from transformers import Pipeline, TextClassificationPipeline, TokenClassificationPipeline
from transformers.modeling_outputs import SequenceClassifierOutput, TokenClassifierOutput

from adaptkit.backbones.headed import labelled
from adaptkit.errors import ConfigError, NotConvertible
from adaptkit.heads import format_of
from adaptkit.labelled import examples_of, without_label
from adaptkit.model import AdaptedModel, StackLike
from adaptkit.terminal.asking import as_typed

_Output: TypeAlias = SequenceClassifierOutput | TokenClassifierOutput


_OUTPUTS: Mapping[str, type[_Output]] = {
    "text-classification": SequenceClassifierOutput,
    "token-classification": TokenClassifierOutput,
}


class StackedNetwork(nn.Module):
    """What a pipeline asks of a model: a config with labels, a device, a type, and logits of token ids.

    The model is shared, not copied: what is swapped there acts here from the next batch on.
    """

    name_or_path = ""
    input_modalities = ("text",)

    def __init__(self, model: AdaptedModel, stack: StackLike) -> None:
        super().__init__()
        self.model = model
        self.stack = stack
        _, head = model.head_of(stack)
        self.head_config = head
        self.config = labelled(model.backbone.network.config, head.labels)
        self.config.problem_type = "single_label_classification"
        self._output = _OUTPUTS[head.row.pipeline or ""]

    @property
    def device(self) -> torch.device:
        """Where the backbone is."""
        return self.model.backbone.device

    @property
    def dtype(self) -> torch.dtype:
        """The backbone's type."""
        return self.model.backbone.network.dtype

    def can_generate(self) -> bool:
        """Never."""
        return False

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        **_: object,
    ) -> _Output:
        """Logits of the head.

        Shape: input_ids and attention_mask (batch, seq), logits (batch, n_labels) or (batch, seq, n_labels).

        Raises:
            ConfigError: The adapter on top was swapped for one with other labels.
        """
        pinned = self.model.pinned(self.stack)
        head, config = self.model.head_of(pinned)
        if config != self.head_config:
            raise ConfigError("the head of this stack was swapped for another one; make the pipeline anew.")
        hidden = self.model(input_ids, attention_mask, stacks=[pinned] * len(input_ids))
        return self._output(logits=head(hidden, attention_mask))

    def save_pretrained(self, folder: object, **_: object) -> NoReturn:
        """Refuse.

        Raises:
            NotConvertible: Always.
        """
        raise NotConvertible(
            f"transformers has no form for a stack of adapters, so nothing was saved in {folder}. Save each adapter: "
            "adapter.save(folder)."
        )


class StackTextClassification(TextClassificationPipeline):
    """Reads texts and pairs as `AdaptedModel.predict` does."""

    def check_model_type(self, supported_models: object) -> None:
        """Not needed: the model was made for this pipeline."""

    def _sanitize_parameters(
        self,
        function_to_apply: str | None = None,
        top_k: int | str | None = "",
        **options: Any,  # noqa: ANN401 - the contract of pipelines
    ) -> tuple[dict[str, Any], ...]:
        unknown = options.keys() - {"max_length", "truncation", "padding"}
        if unknown or options.get("truncation") is False:
            raise ConfigError(
                f"texts are cut where they are too long, and padded in batches; found {sorted(options)}. Give "
                f"{as_typed(max_length=...)} to cut them earlier."
            )
        read = {"max_length": options["max_length"]} if "max_length" in options else {}
        _, forward, shown = super()._sanitize_parameters(function_to_apply, top_k)  # type: ignore[no-untyped-call]
        return read, forward, shown

    def preprocess(self, inputs: object, max_length: int | None = None) -> dict[str, Any]:  # type: ignore[override]
        """Token ids as `AdaptedModel.predict` makes them, with the prefix."""
        network = _stacked(self)
        given = (inputs.get("text"), inputs.get("text_pair")) if isinstance(inputs, Mapping) else inputs
        if isinstance(given, tuple) and given[-1] is None:
            given = given[0]
        (example,) = examples_of(network.head_config.task_type, [given])
        reader = format_of(network.model.backbone, network.head_config, max_length=max_length)
        (item,) = reader.items([without_label(example)])
        ids = torch.from_numpy(item.rows[0]).long().unsqueeze(0)
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


class StackTokenClassification(TokenClassificationPipeline):
    """Reads texts, or with `is_split_into_words` lists of words, behind the prefix of the head or the backbone."""

    def check_model_type(self, supported_models: object) -> None:
        """Not needed: the model was made for this pipeline."""

    def preprocess(  # type: ignore[override]
        self,
        sentence: str | list[str],
        offset_mapping: object = None,
        **options: Any,  # noqa: ANN401 - the contract of pipelines
    ) -> Iterator[dict[str, Any]]:
        """Token ids with the prefix, whose tokens are none of the sentence's."""
        network = _stacked(self)
        backbone = network.model.backbone
        prefix = backbone.reader(network.model.pinned(network.stack).reading).text_prefix
        given = options.pop("tokenizer_params", {})
        if prefix and (offset_mapping is not None or "stride" in given):
            raise ConfigError(
                f"{backbone.name} reads {prefix!r} before every text, so that windows (stride) and offsets of your own "
                "(offset_mapping) would not be right. Cut long texts into sentences."
            )
        options["tokenizer_params"] = {**given, "max_length": backbone.max_length}
        if options["is_split_into_words"] and isinstance(sentence, list):
            yield from self._of_words(sentence, prefix.split(), options)
            return
        if not isinstance(sentence, str):
            raise ConfigError(f"token classification reads a text, found {sentence!r:.80}.")
        for window in super().preprocess(prefix + sentence, offset_mapping, **options):  # type: ignore[no-untyped-call]
            inside = window["offset_mapping"][..., 1] > len(prefix)
            window["special_tokens_mask"] = torch.where(inside, window["special_tokens_mask"], 1)
            window["offset_mapping"] = (window["offset_mapping"] - len(prefix)).clamp(min=0)
            window["sentence"] = None if window["sentence"] is None else sentence
            yield window

    def _of_words(self, words: list[str], prefix: list[str], options: dict[str, Any]) -> Iterator[dict[str, Any]]:
        n_before = len(prefix)
        shift = sum(len(word) + len(options["delimiter"]) for word in prefix)
        for window in super().preprocess([*prefix, *words], **options):  # type: ignore[no-untyped-call]
            word_ids = window["word_ids"]
            outside = torch.tensor([[word is None or word < n_before for word in word_ids]])
            window["special_tokens_mask"] = window["special_tokens_mask"].masked_fill(outside, 1)
            window["word_ids"] = [None if word is None or word < n_before else word - n_before for word in word_ids]
            places = window["word_to_chars_map"][n_before:]
            window["word_to_chars_map"] = [(start - shift, end - shift) for start, end in places]
            window["sentence"] = None if window["sentence"] is None else options["delimiter"].join(words)
            yield window


def _stacked(pipeline: Pipeline) -> StackedNetwork:
    network: object = pipeline.model
    assert isinstance(network, StackedNetwork)  # noqa: S101 - as `as_pipeline` makes it
    return network


_PIPELINES: Mapping[str, type[TextClassificationPipeline | TokenClassificationPipeline]] = {
    "text-classification": StackTextClassification,
    "token-classification": StackTokenClassification,
}


def as_pipeline(
    model: AdaptedModel,
    stack: StackLike,
    **options: Any,  # noqa: ANN401 - whatever the pipeline takes
) -> Pipeline:
    """A transformers pipeline over a stack with a head: text-classification or token-classification.

    Labels and scores are those of `model.predict(inputs, stack=stack)`; the text prefix is seen to. `options` go to the
    pipeline: `top_k`, `batch_size`, `aggregation_strategy`, ... The model is shared, not copied.

    Raises:
        NoHead: The stack ends in no task adapter.
        NotConvertible: A head that transformers has no pipeline for, or an adapter that brings pieces of text of its
            own; `model.predict` answers.
        UnknownAdapter: The stack names an adapter that is not attached.
    """
    _, head = model.head_of(stack)
    task = head.row.pipeline
    if task is None:
        raise NotConvertible(
            f"transformers has no pipeline for a {head.task_type} head ({head.row.no_pipeline}). Ask the model: "
            "model.predict(inputs, stack=...)."
        )
    model.pinned(stack).require_own_vocabulary("a pipeline of transformers")
    network = StackedNetwork(model, stack)
    kind = _PIPELINES[task]
    return kind(model=network, tokenizer=model.backbone.tokenizer, task=task, device=network.device, **options)
