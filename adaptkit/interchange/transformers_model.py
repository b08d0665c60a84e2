"""A stack as a transformers model, for code that must be handed one, such as `Trainer`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import PreTrainedModel
from transformers.modeling_outputs import (
    BaseModelOutput,
    MultipleChoiceModelOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)
from transformers.utils.generic import ModelOutput

from adaptkit.attaching.bound import would_change
from adaptkit.backbones.headed import labelled
from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError, NotConvertible
from adaptkit.heads import TaskFormat, format_of
from adaptkit.heads.batch import Batch
from adaptkit.labelled import examples_of, without_label
from adaptkit.model import AdaptedModel, StackLike
from adaptkit.task_types import IGNORED, HeadConfig

Row: TypeAlias = dict[str, Any]


class StackedModel(PreTrainedModel):  # type: ignore[no-untyped-call]
    """A stack as a `PreTrainedModel`: token ids in, an output of transformers' own classes out.

    With a head on top, the output has `logits`, and with labels the `loss` that the head was trained with, without
    class weights; without a head it has `last_hidden_state`. The model is shared, not copied: it stays where it is and
    as it is, and what is swapped there acts here from the next batch on.

    `rows` makes of examples what a `Trainer` reads as a data set, and `collate` makes batches of them.
    """

    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_flex_attn = True
    _supports_attention_backend = True
    main_input_name = "input_ids"
    model: AdaptedModel

    def __init__(self, model: AdaptedModel, stack: StackLike) -> None:
        pinned = model.pinned(stack)
        head = None if pinned.head is None else pinned.head[1]
        super().__init__(labelled(model.backbone.network.config, () if head is None else head.labels))
        self.model = model
        self.stack = stack
        self.head_config = head
        self._format = None if head is None else format_of(model.backbone, head)

    @property
    def device(self) -> torch.device:
        """Where the backbone is."""
        return self.model.backbone.device

    @property
    def dtype(self) -> torch.dtype:
        """The backbone's type."""
        return self.model.backbone.network.dtype

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        return_dict: bool = True,
        **_: object,
    ) -> Any:  # noqa: ANN401 - one of several classes
        """The outputs of the head, or the hidden states where there is none.

        Shape: input_ids and attention_mask (batch, seq), or (batch, rows, seq) where several rows are one example, as
        in multiple choice; labels as `rows` and `collate` give them; logits (batch, n_labels), (batch, seq, n_labels)
        for tags, (batch, n_choices), two times (batch, seq) for answers.

        Raises:
            NotConvertible: The model is in training with labels, which a `Trainer` cannot do here.
            ConfigError: Labels without a head, or a head that was swapped for another one.
        """
        if self.training and labels is not None:
            raise NotConvertible(
                "a Trainer of transformers cannot train this model: its adapters are frozen, and their file would not "
                "say what they were trained on. Train with adaptkit.train_adapter(task=..., data=...); predict and "
                "evaluate work here."
            )
        pinned = self.model.pinned(self.stack)
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        n_rows = input_ids.shape[1] if input_ids.dim() == 3 else 1
        ids, mask = input_ids.flatten(0, -2), mask.flatten(0, -2)
        hidden = self.model(ids, mask, stacks=[pinned] * len(ids))
        if self.head_config is None or self._format is None:
            if labels is not None:
                raise ConfigError(f"labels are for a head, and the stack {pinned.stack} ends in none.")
            output: ModelOutput = BaseModelOutput(last_hidden_state=hidden)
        else:
            head, config = self.model.head_of(pinned)
            if config != self.head_config:
                raise ConfigError("the head of this stack was swapped for another one; make the model anew.")
            outputs = head(hidden, mask)
            batch = Batch(ids=ids, mask=mask, labels=labels, groups=(n_rows,) * (len(ids) // n_rows))
            loss = None if labels is None else self._format.loss(outputs, batch)
            output = _output(config)(outputs, n_rows, loss)
        return output if return_dict else output.to_tuple()

    def rows(self, data: TaskData | Sequence[Any], *, max_length: int | None = None) -> list[Row]:
        """Labelled data, or plain inputs as `AdaptedModel.predict` takes them, as a data set of token ids.

        Each row has `input_ids` and `attention_mask`, with the text prefix, and of labelled data `labels`. A
        long context gives several rows; one that holds no whole answer where another does is left out.

        Raises:
            ConfigError: An input of another form, or labelled data of another task type; the stack has no head.
            UnknownLabel: The data has a label that the head does not have.
        """
        head = self._require_head()
        task_format = format_of(self.model.backbone, head, max_length=max_length)
        if isinstance(data, TaskData):
            if data.task_type != head.task_type:
                raise ConfigError(f"the head is for {head.task_type}, and the data for {data.task_type}.")
            items = [item for item in task_format.items(data.examples) if item.target]
        else:
            items = task_format.items([without_label(example) for example in examples_of(head.task_type, data)])
        labels = _labels(task_format, items) if isinstance(data, TaskData) else [{}] * len(items)
        return [{**_read(item.rows), **label} for item, label in zip(items, labels, strict=True)]

    def collate(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        """A batch of rows as tensors, padded: a `data_collator`. Shape: as `forward`.

        Raises:
            ConfigError: Examples with different numbers of choices.
        """
        several = [[row["input_ids"]] if _is_flat(row["input_ids"]) else row["input_ids"] for row in rows]
        counts = {len(each) for each in several}
        if len(counts) > 1:
            raise ConfigError(
                f"a batch holds examples of {' and '.join(map(str, sorted(counts)))} rows. Give those with other "
                "numbers of choices in data sets of their own, or one by one (per_device_eval_batch_size=1)."
            )
        ids, mask = self.model.backbone.pad([row for each in several for row in each])
        shape = (len(rows), -1) if _is_flat(rows[0]["input_ids"]) else (len(rows), counts.pop(), ids.shape[1])
        batch = {"input_ids": ids.reshape(shape).cpu(), "attention_mask": mask.reshape(shape).cpu()}
        if "labels" in rows[0]:
            batch["labels"] = _padded([row["labels"] for row in rows], per_token=self._is_per_token)
        return batch

    @property
    def _is_per_token(self) -> bool:
        return self._require_head().row.pipeline == "token-classification"

    def _require_head(self) -> HeadConfig:
        if self.head_config is None:
            raise ConfigError("the stack ends in no adapter with a head; make rows with the tokenizer instead.")
        return self.head_config

    def train(self, mode: bool = True) -> "StackedModel":
        """Set this model's own mode; the shared model's stays."""
        self.training = mode
        return self

    def to(self, *args: Any, **kwargs: Any) -> "StackedModel":  # type: ignore[override]  # noqa: ANN401 - as torch has it
        """The same model, where it is already.

        Raises:
            NotConvertible: Another device or type is asked for: others may use the shared model.
        """
        device, dtype, *_ = torch._C._nn._parse_to(*args, **kwargs)
        own = self.device
        elsewhere = device is not None and (device.type != own.type or device.index not in (None, own.index or 0))
        if elsewhere or (dtype is not None and dtype != self.dtype):
            raise self._stays(device or own)
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "StackedModel":  # noqa: ARG002
        """What `half`, `float`, `cuda` and their like are made of.

        Raises:
            NotConvertible: It would move or convert the shared model's weights.
        """
        if would_change(self, fn):
            raise self._stays(self.device)
        return self

    def _stays(self, wanted: torch.device) -> NotConvertible:
        return NotConvertible(
            f"the model is on {self.device} in {self.dtype}, is shared, and is not moved from here, nor converted. "
            f"Load it as you want it (adaptkit.load_model(device={str(wanted)!r})), or let the Trainer stay there "
            "(TrainingArguments(use_cpu=True))."
        )

    def requires_grad_(self, requires_grad: bool = True) -> "StackedModel":
        """The same model, where every weight is so already.

        Raises:
            NotConvertible: A weight is not: others may use the shared model, or train in it.
        """
        if any(weight.requires_grad != requires_grad for weight in self.parameters()):
            raise NotConvertible(
                f"the model is shared, so requires_grad_({requires_grad}) is not done from here. Adapters are trained "
                "by adaptkit.train_adapter(task=..., data=...)."
            )
        return self

    def save_pretrained(self, save_directory: object, **_: object) -> NoReturn:  # type: ignore[override, unused-ignore]
        """Refuse.

        Raises:
            NotConvertible: Always.
        """
        raise NotConvertible(
            f"transformers has no form for a stack of adapters, so no model was saved in {save_directory}. Save each "
            "adapter: adapter.save(folder). Or fold LoRA adapters into the backbone: adaptkit.merge(model, "
            "stack).save(folder)."
        )

    def push_to_hub(self, *_: object, **__: object) -> NoReturn:  # type: ignore[override, unused-ignore]
        """Refuse.

        Raises:
            NotConvertible: Always.
        """
        raise NotConvertible("transformers has no form for a stack of adapters. Push each: adaptkit.push_adapter(...).")

    @classmethod
    def from_pretrained(cls, *_: object, **__: object) -> NoReturn:  # type: ignore[override, unused-ignore]
        """Refuse.

        Raises:
            NotConvertible: Always.
        """
        raise NotConvertible(
            "a stack is loaded by adaptkit: model = adaptkit.load_model(...), model.attach(...), and then "
            "adaptkit.as_transformers(model, stack)."
        )


def as_transformers(model: AdaptedModel, stack: StackLike = None) -> StackedModel:
    """A stack as a transformers `PreTrainedModel`, for `Trainer.predict`, `Trainer.evaluate` and their like.

    Its logits are those that `model.predict(inputs, stack=stack)` answers from. The model is shared, not copied, and
    cannot be trained or saved there.

    Raises:
        UnknownAdapter: The stack names an adapter that is not attached.
        NotConvertible: An adapter in it brings pieces of text of its own, or the one on top writes text.
    """
    pinned = model.pinned(stack)
    pinned.require_own_vocabulary("a model of transformers")
    pinned.require_outputs("a model of transformers")
    return StackedModel(model, stack)


def _read(rows: Sequence[Any]) -> Row:
    """Token ids and mask of an example, of several rows where it has several."""
    ids = [row.tolist() for row in rows]
    mask = [[1] * len(row) for row in ids]
    return (
        {"input_ids": ids[0], "attention_mask": mask[0]}
        if len(ids) == 1
        else {"input_ids": ids, "attention_mask": mask}
    )


def _labels(task_format: TaskFormat, items: Sequence[Any]) -> list[Row]:
    return [{"labels": task_format.labels([item], item.length)[0].tolist()} for item in items]


def _padded(labels: Sequence[Any], *, per_token: bool) -> Tensor:
    """Shape: (batch, ...)."""
    if not per_token:
        found = torch.tensor(labels)
        return found.float() if found.is_floating_point() else found
    longest = max(map(len, labels))
    return torch.tensor([[*each, *[IGNORED] * (longest - len(each))] for each in labels])


def _is_flat(ids: Sequence[Any]) -> bool:
    return not ids or not isinstance(ids[0], Sequence)


_Shaped: TypeAlias = Callable[[Tensor, int, Tensor | None], ModelOutput]


def _output(head: HeadConfig) -> _Shaped:
    """How the outputs of a head are a `ModelOutput`; of a type that transformers does not have, logits as they are."""
    if head.row.pipeline == "token-classification":
        return lambda outputs, _, loss: TokenClassifierOutput(loss=loss, logits=outputs)
    return _SHAPED.get(head.task_type, lambda outputs, _, loss: SequenceClassifierOutput(loss=loss, logits=outputs))


def _answers(outputs: Tensor, _: int, loss: Tensor | None) -> ModelOutput:
    return QuestionAnsweringModelOutput(loss=loss, start_logits=outputs[..., 0], end_logits=outputs[..., 1])


def _choices(outputs: Tensor, n_rows: int, loss: Tensor | None) -> ModelOutput:
    return MultipleChoiceModelOutput(loss=loss, logits=outputs.reshape(-1, n_rows))


def _cosines(outputs: Tensor, _: int, loss: Tensor | None) -> ModelOutput:
    cosines = F.cosine_similarity(outputs[0::2], outputs[1::2]).unsqueeze(1)
    return SequenceClassifierOutput(loss=loss, logits=cosines)


_SHAPED: Mapping[str, _Shaped] = {"qa": _answers, "choice": _choices, "similarity": _cosines}
