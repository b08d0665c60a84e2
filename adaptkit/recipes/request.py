"""What a caller asks of a training run: one value, filled by the Python call and by the command line alike."""

import math
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from adaptkit.backbones.device import device_for
from adaptkit.config import MAX_ANSWER_TOKENS, SITES, Kind, Precision, Scaling, SiteName
from adaptkit.data.letters import NormalForm, check_form
from adaptkit.errors import ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.shapes import BackboneShape
from adaptkit.holding import AUTO, BITS_HELP, DEVICES, Bits, embedding_form, embeddings_help
from adaptkit.labelled import ReadingOptions
from adaptkit.methods import Below, InvertibleConfig, MethodConfig, Surroundings, method_of, options_named
from adaptkit.model import AdaptedModel
from adaptkit.options import options_of
from adaptkit.storage import Adapter, load_adapter
from adaptkit.task_types import HeadConfig
from adaptkit.terminal.plain_text import is_one_line
from adaptkit.training import WARMUP_SHARE, TrainingSettings

ObjectiveName: TypeAlias = Literal["auto", "mlm", "clm", "distill"]
MethodName: TypeAlias = Literal["lora", "bottleneck", "fusion", "head"]


def _option(default: Any, text: str) -> Any:  # noqa: ANN401 - dataclasses.field is typed so
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """Everything that can be asked of `train_adapter`; each field's `help` says what it is.

    Raises:
        ConfigError: Options that cannot be right, or that contradict each other.
    """

    lang: str | None = _option(None, "language of the text: sw, swa, swh_Latn or Swahili")
    domain: str | None = _option(None, "train a domain adapter of this name on the text")
    task: str | None = _option(None, "train a task adapter of this name on labelled data")
    on: Any = _option((), "adapters to train on top of, frozen: values or folders")
    data: Any = _option(None, "labelled data of a task: files, examples, a data set, or a mapping of languages to them")
    task_type: str | None = _option(None, "classification, tagging, qa, choice, similarity (default: by the data)")
    columns: Mapping[str, str] | None = _option(None, "column of each role, where its name is not recognised")
    labels: tuple[str, ...] = _option((), "the labels in their order; no other may occur (default: those that do)")
    nli: bool | None = _option(None, "labels are those of inference, numbers included (default: by the labels)")
    score_range: tuple[float, float] = _option((0.0, 1.0), "lowest and highest score of similarity")
    quoted: bool | None = _option(
        None, "cells of a TSV are quoted as in CSV (default: no, and counted if they look so)"
    )
    drop_top_layer: bool = _option(False, "task: adapters below do not act in the last block (MAD-X 2.0)")
    sampling_alpha: float = _option(0.3, "task in several languages: each is drawn by size ** sampling_alpha")
    text: Any = _option(None, "text in the language: a file, several, an iterable, a data set or a hub id")
    parallel: Any = _option(None, "sentences with translations: JSON lines, TSV, a pair of files or pairs")
    source_lang: str | None = _option(None, "language of the translations, where the file has several")
    source_share: float = _option(0.3, "distill: share of translations that train too, drawn to their own vectors")
    inner_weight: float = _option(
        0.5, "distill: weight of the vectors at a third and two thirds of the depth (0: none)"
    )
    pair_share: float = _option(0.5, "distill: pairs of sentences that train too, for each sentence of the text")
    token_anchor: float = _option(
        0.5, "distill: weight of keeping tokens where the frozen backbone has them (0: off), 1 for translations"
    )
    column: str | None = _option(None, "column of the text, where a file has several")
    normalize: NormalForm | None = _option(
        None, "form in which all text is read: NFC, NFD, NFKC, NFKD (default: as it is)"
    )
    max_answer_tokens: int | None = _option(
        None, "qa: tokens of the longest answer (default: half more than the longest in training, at least 30)"
    )
    objective: ObjectiveName = _option(
        "auto", "mlm (encoders), clm (decoders), distill, or auto: distill for parallel text, else mlm or clm"
    )
    method: MethodName = _option(
        "lora",
        "lora, bottleneck, head (task: no layers, the head only), or fusion (attention over the adapters of on=...)",
    )
    rank: int | None = _option(None, "LoRA rank (16)")
    alpha: float | None = _option(None, "LoRA alpha; scaling is alpha / rank (default: 4 * rank)")
    scaling: Scaling = _option("standard", "standard, or rank_stabilized: alpha / sqrt(rank)")
    dropout: float = _option(0.0, "LoRA dropout")
    reduction_factor: int | None = _option(None, "bottleneck: hidden width / bottleneck width (16)")
    invertible: bool = _option(False, "add an invertible layer at the embeddings")
    sites: tuple[SiteName, ...] | None = _option(None, "sites to act at (default: all of the method's)")
    blocks: tuple[int, ...] | None = _option(None, "transformer blocks to act in, from 0 (default: all)")
    backbone: str | AdaptedModel | None = _option(None, "hub id or folder of the backbone (default: the embedded one)")
    bits: Bits = _option(32, BITS_HELP)
    embeddings: str | None = _option(None, embeddings_help())
    batch_size: int = _option(32, "sentences in a batch")
    max_steps: int | None = _option(None, "training steps (default: by the size of the text)")
    learning_rate: float | None = _option(None, "peak learning rate (default: by objective)")
    max_length: int = _option(128, "tokens of a sentence that are kept, special ones counted")
    max_tokens: int | None = _option(20_000_000, "tokens of text that are read")
    whole_words: bool = _option(False, "mlm: mask whole words")
    full_vocabulary: bool = _option(False, "mlm, clm: softmax over the full vocabulary, not the corpus vocabulary")
    anchor: float = _option(20.0, "mlm: weight of staying near the frozen sentence vectors (0: plain mlm)")
    head_warmup: int | None = _option(
        None, "mlm: first steps, which train only the projection (default: a quarter, up to 100)"
    )
    seed: int = _option(0, "seed of everything random")
    precision: Precision = _option("auto", "fp32, bf16, or auto: bf16 where the hardware has it")
    device: str = _option(AUTO, DEVICES)
    gradient_checkpointing: bool = _option(False, "less memory for about a third more time")
    output: str | os.PathLike[str] | None = _option(None, "folder for the adapter; checkpoints lie beside it")
    overwrite: bool = _option(False, "replace an adapter that is in the output folder")
    resume: bool = _option(False, "go on from the checkpoint beside the output folder")
    resume_or_start: bool = _option(
        False, "go on from the checkpoint where there is one, else start: for a job that may be started again"
    )
    checkpoint_every: int = _option(200, "steps between two checkpoints")
    checkpoint_minutes: float = _option(10.0, "minutes after which a checkpoint is written at the latest")
    force: bool = _option(False, "train although triage advises against it")
    private: bool = _option(False, "keep file names out of the card")
    licence: str = _option("not stated", "licence of the text, for the card")
    progress: bool = _option(True, "show plan and progress")

    @property
    def kind(self) -> Kind:
        """What the adapter is for."""
        return "task" if self.task is not None else "domain" if self.domain is not None else "language"

    @property
    def foundation(self) -> tuple[Adapter, ...]:
        """The adapters to train on top of; folders are loaded.

        Raises:
            AdapterFileError: A folder that is no adapter.
        """
        given = (self.on,) if isinstance(self.on, str | os.PathLike | Adapter) else tuple(self.on)
        return tuple(entry if isinstance(entry, Adapter) else load_adapter(entry) for entry in given)

    def __post_init__(self) -> None:
        self._check_kind()
        self._check_text()
        self._check_method()
        if self.max_length < 8:
            raise ConfigError(f"max_length must be at least 8, found {self.max_length}.")
        if not is_one_line(self.licence):
            raise ConfigError(f"licence={self.licence!r} is not one line; give the licence's name.")
        if self.resumes and self.output is None:
            raise ConfigError("resume needs the output folder of the run to resume; give output=....")
        if self.resume and self.resume_or_start:
            raise ConfigError("resume=True and resume_or_start=True are both given; give one of them.")
        self._check_output_options()
        self._check_loaded_model()
        self._check_numbers()

    @property
    def resumes(self) -> bool:
        """Whether the run goes on from a checkpoint, if there is one."""
        return self.resume or self.resume_or_start

    @property
    def reading(self) -> ReadingOptions:
        """How labelled data is read."""
        return ReadingOptions(
            columns=self.columns or {},
            labels=tuple(self.labels),
            nli=self.nli,
            score_range=self.score_range,
            quoted=self.quoted,
        )

    @property
    def output_folder(self) -> Path | None:
        """The folder for the adapter."""
        return None if self.output is None else Path(self.output)

    def adapter_config(self, shape: BackboneShape, head: HeadConfig | None = None) -> AdapterConfig:
        """The adapter that is asked for on a backbone of these sizes, with a task's head."""
        return AdapterConfig(
            method=self._method_config({address.site for address in shape.sites()}),
            invertible=InvertibleConfig() if self.invertible else None,
            head=head,
            hides_top_block=self.drop_top_layer,
        )

    def training_settings(
        self, *, max_steps: int, learning_rate: float, head_warmup_steps: int, warmup_share: float = WARMUP_SHARE
    ) -> TrainingSettings:
        """The settings of the loop, with the defaults that depend on the text filled in."""
        return TrainingSettings(
            max_steps=max_steps,
            batch_size=self.batch_size,
            learning_rate=learning_rate,
            head_warmup_steps=head_warmup_steps,
            warmup_share=warmup_share,
            evaluate_every=min(max(max_steps // 5, _LEAST_STEPS_BETWEEN_EVALUATIONS), _MOST_STEPS_BETWEEN_EVALUATIONS),
            seed=self.seed,
            precision=self.precision,
            gradient_checkpointing=self.gradient_checkpointing,
            checkpoint_every=self.checkpoint_every,
            checkpoint_minutes=self.checkpoint_minutes,
        )

    def record(self, objective: str = "auto") -> Mapping[str, str | float | int | bool | None]:
        """The options that decide the result, for card and checkpoint; no path and no text.

        What the method, or the `objective` that the text has decided on, does not look at is not among them.
        """
        left_out = {"text", "parallel", "data", "on", "output", "overwrite", "resume", "progress", "private", "force"}
        left_out |= {"resume_or_start", "checkpoint_every", "checkpoint_minutes"}
        # What reading has made of the data is known by its content.
        left_out |= {"backbone", *_READING, *(_TEXT_ONLY if self.kind == "task" else _TASK_ONLY)}
        left_out |= {*_FOREIGN_TO_METHOD[self.method], *_FOREIGN_TO_OBJECTIVE.get(objective, ())}
        values = {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.name not in left_out}
        return {
            name: ",".join(map(str, value)) if isinstance(value, tuple) else value for name, value in values.items()
        }

    def _check_kind(self) -> None:
        """Options of one kind of adapter do not go with another's."""
        if self.task is not None and self.domain is not None:
            raise ConfigError("task and domain are both given; an adapter is for one of them.")
        if self.kind == "language" and self.lang is None:
            raise ConfigError("nothing says what to train: give lang=..., or domain=... with its text, or task=....")
        if self.kind == "task" and self.data is None:
            raise ConfigError(f"task {self.task!r} needs labelled examples: give data=....")
        if self.kind == "task":
            self._refuse(_TEXT_ONLY, "a task adapter")
        else:
            self._refuse(_TASK_ONLY, f"a {self.kind} adapter (say task=... for a task adapter)")
        if self.domain is not None and self.text is None and self.parallel is None:
            raise ConfigError(f"domain {self.domain!r} needs text of that domain: give text=....")
        if self.domain is not None and self.lang is None:
            raise ConfigError(f"domain {self.domain!r} needs the language of its text: give lang=....")
        if not (math.isfinite(self.sampling_alpha) and 0 <= self.sampling_alpha <= 1):
            raise ConfigError(f"sampling_alpha lies between 0 (equally) and 1 (by size), found {self.sampling_alpha}.")

    def _check_text(self) -> None:
        """Text and objective go together."""
        if self.text is not None and self.parallel is not None:
            raise ConfigError("text and parallel are both given; give the one to train on.")
        if self.column is not None and self.parallel is not None:
            raise ConfigError("column names a column of text=...; parallel text finds its columns by their languages.")
        if self.source_lang is not None and self.text is not None:
            raise ConfigError("source_lang is the language of translations, and text=... has none; leave it out.")
        if self.objective not in get_args(ObjectiveName):
            raise ConfigError(f"objective is {', '.join(get_args(ObjectiveName))}, found {self.objective!r}.")
        if self.objective == "distill" and self.text is not None:
            raise ConfigError(
                "distillation needs sentences with their translations: give parallel=... instead of text=..., or "
                "objective='mlm'."
            )

    def _check_method(self) -> None:
        """Options of one method do not go with another."""
        method_of(options_named(self.method)).require_kind(self.kind)
        self._refuse(_FOREIGN_TO_METHOD[self.method], f"method {self.method!r}")

    def check_objective(self, objective: str) -> None:
        """Options of one objective do not go with another; asked when the text has decided on one.

        Raises:
            ConfigError: An option is given that this objective would not look at.
        """
        self._refuse(_FOREIGN_TO_OBJECTIVE.get(objective, ()), f"objective {objective!r}")

    def _refuse(self, foreign: Sequence[str], what: str) -> None:
        defaults = {entry.name: entry.default for entry in fields(self)}
        changed = [name for name in foreign if getattr(self, name) is not defaults[name]]
        given = [name for name in changed if getattr(self, name) != defaults[name]]
        if given:
            verb = "does not go with" if len(given) == 1 else "do not go with"
            raise ConfigError(f"{', '.join(given)} {verb} {what}; leave {'it' if len(given) == 1 else 'them'} out.")

    def _check_output_options(self) -> None:
        """Options of what is written go with an output folder."""
        defaults = {entry.name: entry.default for entry in fields(self)}
        given = [name for name in _OUTPUT_ONLY if getattr(self, name) != defaults[name]]
        if self.output is None and given:
            verb, them = ("needs", "it") if len(given) == 1 else ("need", "them")
            raise ConfigError(
                f"{', '.join(given)} {verb} an output folder, and without one nothing is written: give output=..., or "
                f"leave {them} out."
            )

    def _check_loaded_model(self) -> None:
        """Options of loading do not go with a model that is loaded."""
        if not isinstance(self.backbone, AdaptedModel):
            return
        own = self.backbone.backbone.device
        asked = own if self.device == AUTO else device_for(self.device)
        unlike = asked.type != own.type or (":" in self.device and (asked.index or 0) != (own.index or 0))
        if unlike:
            raise ConfigError(
                f"device={self.device!r} is for a backbone that is loaded here, and a loaded model was given, which "
                f"is on {str(own)!r}: leave device out, or load the model there, load_model(device={self.device!r})."
            )
        if (self.bits, self.embeddings) != (32, None):
            raise ConfigError(
                "bits and embeddings are for a backbone that is loaded here, and a loaded model was given; load it "
                "so: load_model(bits=..., embeddings=...)."
            )

    def _check_numbers(self) -> None:
        """Numbers that cannot be right are refused before any text is read."""
        embedding_form(self.bits, self.embeddings)
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ConfigError(f"max_tokens must be at least 1, found {self.max_tokens}.")
        for name in ("source_share", "pair_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} lies between 0 and 1, found {getattr(self, name)}.")
        for name in ("inner_weight", "anchor", "token_anchor"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ConfigError(f"{name} must be 0 or a positive number, found {value}.")
        check_form(self.normalize)
        if self.max_answer_tokens is not None and not 1 <= self.max_answer_tokens <= MAX_ANSWER_TOKENS:
            raise ConfigError(
                f"max_answer_tokens must lie between 1 and {MAX_ANSWER_TOKENS:,}, found {self.max_answer_tokens}."
            )
        self._method_config()
        self.training_settings(
            max_steps=sys.maxsize if self.max_steps is None else self.max_steps,
            learning_rate=1e-3 if self.learning_rate is None else self.learning_rate,
            head_warmup_steps=self.head_warmup or 0,
        )

    def _method_config(self, there: Collection[SiteName] = SITES) -> MethodConfig:
        options = type(options_named(self.method))
        asked = {name: getattr(self, name) for name in options_of(options)}
        given = {name: value for name, value in asked.items() if value is not None}
        fused = self.foundation if self.method == "fusion" else ()
        below = tuple(
            Below(adapter.id, adapter.config.method.sites, adapter.config.invertible is not None) for adapter in fused
        )
        return options(**given).config(Surroundings(there, below))


_LEAST_STEPS_BETWEEN_EVALUATIONS = 20
_MOST_STEPS_BETWEEN_EVALUATIONS = 200

_TEXT_ONLY = (
    "text",
    "parallel",
    "source_lang",
    "source_share",
    "inner_weight",
    "pair_share",
    "token_anchor",
    "column",
    "objective",
    "invertible",
    "max_tokens",
    "whole_words",
    "full_vocabulary",
    "anchor",
    "head_warmup",
)
_OUTPUT_ONLY = ("overwrite", "checkpoint_every", "checkpoint_minutes")
_READING = ("columns", "labels", "nli", "score_range", "quoted")
_TASK_ONLY = ("data", "task_type", "drop_top_layer", "sampling_alpha", "max_answer_tokens", *_READING)
_LORA_ONLY = ("rank", "alpha", "scaling", "dropout")
_MASKED_ONLY = ("anchor", "head_warmup", "whole_words")
_DISTILL_ONLY = ("source_share", "inner_weight", "pair_share", "token_anchor")
_FOREIGN_TO_OBJECTIVE: Mapping[str, tuple[str, ...]] = {
    "mlm": _DISTILL_ONLY,
    "clm": (*_MASKED_ONLY, *_DISTILL_ONLY),
    "distill": (*_MASKED_ONLY, "full_vocabulary"),
}
_FOREIGN_TO_METHOD: Mapping[MethodName, tuple[str, ...]] = {
    "lora": ("reduction_factor",),
    "bottleneck": _LORA_ONLY,
    "fusion": (*_LORA_ONLY, "reduction_factor", "invertible"),
    "head": (*_LORA_ONLY, "reduction_factor", "sites", "blocks", "drop_top_layer"),
}
