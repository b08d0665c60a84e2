"""Train a language adapter: choose the text, look at it, say what it will cost, train, record."""

import math
import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor, nn

from adaptkit.backbones import Backbone, word_embeddings_of
from adaptkit.composition import AdapterId
from adaptkit.data.tokens import TokenStore, tokenize_lines, within_budget
from adaptkit.data.triage import Triage, triage
from adaptkit.errors import CheckpointError, ConfigError
from adaptkit.languages import canonical_tag
from adaptkit.layers import AdapterLayers
from adaptkit.model import AdaptedModel, load_model
from adaptkit.objectives import DistillObjective, MaskedObjective, MaskingRule
from adaptkit.recipes.request import TrainingRequest
from adaptkit.recipes.source import Row, choose_source
from adaptkit.storage import Adapter, Card, TrainingFacts
from adaptkit.storage import format as spec
from adaptkit.storage.adapter import Origin
from adaptkit.storage.probes import record as record_probes
from adaptkit.training import CheckpointFolder, Display, RunResult, TrainingData, TrainingRun, TrainingSettings
from adaptkit.training.hardware import peak_memory_bytes
from adaptkit.training.precision import bfloat16_blocks, uses_bfloat16
from adaptkit.training.randomness import forked
from adaptkit.version import __version__

_EPOCHS = 3
_MIN_STEPS = 100
_MAX_STEPS = {"distill": 300, "mlm": 600}
_LEARNING_RATE = {"distill": 2e-3, "mlm": 5e-4}
_HEAD_WARMUP_STEPS = 100
_ENCODED_AT_ONCE = 1024
_MEASURED_BATCHES = 3
_ADAPTER_FILES = {spec.WEIGHTS_FILE, spec.CONFIG_FILE, spec.RECORD_FILE, spec.CARD_FILE}


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a run will cost on this machine. Times in seconds, sizes in bytes; measured on a few batches."""

    triage: Triage
    objective: str
    n_sentences: int
    n_steps: int
    elapsed_s: float
    peak_memory_bytes: int
    adapter_bytes: int


class LanguageTraining:
    """A request with everything in place to train it: text read, objective built, fresh adapter attached.

    Raises:
        AdaptkitError: Whatever is wrong with request, text or backbone; before anything is trained or written.
    """

    def __init__(self, request: TrainingRequest, display: Display) -> None:
        self.request = request
        self.language = canonical_tag(request.lang)
        self.id = AdapterId("language", self.language)
        self._display = display
        _check_output(request)
        self.source = choose_source(request, self.language, display.note)
        if request.resume and not self.source.repeatable:
            raise CheckpointError(
                f"{self.source.description} can be read only once, so an interrupted run cannot read the same text "
                "again. Write it to a file and give that, then resume works."
            )
        self.model = _model_of(request)
        rows = self.source.rows if self.source.repeatable else _read_once(self.source.rows)
        self.triage = triage(
            (sentence for _, sentence in rows()),
            self.model.backbone.tokenizer,
            max_length=request.max_length,
            language=self.language,
        )
        self.triage.require(force=request.force)
        self.data = self._read(rows)
        self.settings = self._settings()
        with forked(self.model.backbone.device, request.seed):
            self.layers = self.model.attach_layers(str(self.id), request.adapter_config())
            try:
                self._run = self._training_run()
            except BaseException:
                self.close()
                raise

    def estimate(self) -> Estimate:
        """Measure a few batches and say what the whole run will cost. Trains nothing."""
        lengths = self.data.sentences.lengths
        batches = sorted(self.data.batches(self.request.batch_size, 0), key=lambda rows: int(lengths[rows].max()))
        self._run.measure_step(batches[-1])
        middle = len(batches) // 2
        seconds = [self._run.measure_step(rows) for rows in batches[middle : middle + _MEASURED_BATCHES]]
        return Estimate(
            triage=self.triage,
            objective=self.source.objective,
            n_sentences=len(self.data.sentences),
            n_steps=self.settings.max_steps,
            elapsed_s=statistics.median(seconds) * self.settings.max_steps,
            peak_memory_bytes=peak_memory_bytes(self.model.backbone.device),
            adapter_bytes=4 * sum(tensor.numel() for tensor in self.layers.named_tensors().values()),
        )

    def train(self) -> Adapter:
        """Train, save where an output folder was given, and return the adapter."""
        with forked(self.model.backbone.device, self.request.seed):
            result = self._run.run(self._display, resume=self.request.resume)
        adapter = self._adapter(result)
        if self.request.output_folder is not None:
            adapter.save(self.request.output_folder, overwrite=self.request.overwrite)
        self._run.forget_checkpoint()
        return adapter

    def close(self) -> None:
        """Take the adapter off the model, which keeps nothing of it."""
        self.model.detach(str(self.id))

    def _training_run(self) -> TrainingRun:
        return TrainingRun(
            self.model,
            self.layers,
            self._objective(),
            self.data,
            self.settings,
            stack=str(self.id),
            checkpoint=self._checkpoint(),
        )

    def _read(self, rows: Callable[[], Iterator[Row]]) -> TrainingData:
        tokenized = self._tokenize(sentence for _, sentence in rows())
        store = TokenStore(within_budget(tokenized, self.request.max_tokens))
        return TrainingData(store, self._targets(store, rows), self.request.seed)

    def _tokenize(self, sentences: Iterator[str]) -> Iterator[list[int]]:
        limit = self.request.max_length
        return tokenize_lines(sentences, lambda lines: self.model.backbone.tokenize(lines, max_length=limit))

    def _targets(self, store: TokenStore, rows: Callable[[], Iterator[Row]]) -> Tensor | None:
        """The frozen backbone's vectors: of the translations to distil, of the sentences themselves to anchor."""
        if self.source.objective == "distill":
            self._display.note("encoding the translations with the frozen backbone")
            translations = TokenStore(self._tokenize(text or "" for text, _ in islice(rows(), len(store))))
            return self._encode(translations, len(store))
        if not self.request.anchor:
            return None
        self._display.note("encoding the sentences with the frozen backbone, as anchors")
        return self._encode(store, len(store))

    def _encode(self, store: TokenStore, n_rows: int) -> Tensor:
        device = self.model.backbone.device
        fast = uses_bfloat16(self.request.precision, device)
        pieces = []
        with bfloat16_blocks(self.model.network) if fast else nullcontext():
            for start in range(0, n_rows, _ENCODED_AT_ONCE):
                rows = range(start, min(start + _ENCODED_AT_ONCE, n_rows))
                pieces.append(self.model.encode_ids([store[row] for row in rows], batch_size=64))
        return torch.cat(pieces)

    def _settings(self) -> TrainingSettings:
        objective = self.source.objective
        per_epoch = math.ceil(len(self.data.training) / self.request.batch_size)
        by_text = min(max(per_epoch * _EPOCHS, _MIN_STEPS), _MAX_STEPS[objective])
        max_steps = by_text if self.request.max_steps is None else self.request.max_steps
        rate = self.request.learning_rate
        return self.request.training_settings(
            max_steps=max_steps,
            learning_rate=_LEARNING_RATE[objective] if rate is None else rate,
            head_warmup_steps=self._head_warmup(max_steps),
        )

    def _head_warmup(self, max_steps: int) -> int:
        if self.source.objective == "distill":
            return 0
        asked = self.request.head_warmup
        return min(_HEAD_WARMUP_STEPS, max_steps // 4) if asked is None else asked

    def _objective(self) -> nn.Module:
        if self.source.objective == "distill":
            targets = self.data.targets
            if targets is None:
                raise ConfigError("distillation without targets")
            return DistillObjective.for_targets(targets).to(self.model.backbone.device)
        vocabulary = None if self.request.full_vocabulary else torch.from_numpy(self.data.sentences.vocabulary())
        return masked_objective(
            self.model.backbone,
            self.layers,
            rule=MaskingRule(whole_words=self.request.whole_words),
            vocabulary=vocabulary,
            anchor_weight=self.request.anchor,
        )

    def _checkpoint(self) -> CheckpointFolder | None:
        output = self.request.output_folder
        if output is None:
            return None
        run = (
            f"{self.id} {sorted(self.request.record().items())} {self.data.sha256} {self.model.backbone.fingerprint.id}"
        )
        return CheckpointFolder(checkpoint_folder(output), run)

    def _adapter(self, result: RunResult) -> Adapter:
        inputs = self.model.probe_inputs()
        self.layers.eval()
        probes = record_probes(inputs, self.model.encode_ids(inputs, stack=str(self.id)))
        return Adapter(
            kind="language",
            name=self.language,
            language=self.language,
            config=self.request.adapter_config(),
            origin=Origin.of(self.model.backbone),
            tensors={name: t.detach().cpu().clone() for name, t in self.layers.named_tensors().items()},
            probes=probes,
            card=self._card(result),
        )

    def _card(self, result: RunResult) -> Card:
        return Card(
            source="" if self.request.private else self.source.description,
            text_kind=self.source.kind,
            n_lines=len(self.data.sentences),
            licence=self.source.licence,
            adaptkit_version=__version__,
            private=self.request.private,
            training=TrainingFacts(
                objective=self.source.objective,
                steps=result.steps,
                tokens=result.tokens,
                elapsed_s=round(result.elapsed_s, 3),
                tokens_per_s=round(result.tokens_per_s, 1),
                peak_memory_bytes=result.peak_memory_bytes,
                heldout_loss_before=result.before["loss"],
                heldout_loss_after=result.after["loss"],
                pseudo_perplexity_before=_perplexity(result.before),
                pseudo_perplexity_after=_perplexity(result.after),
                stopped_because=result.stopped_because,
                settings=self.request.record(),
            ),
        )


def masked_objective(
    backbone: Backbone,
    layers: AdapterLayers,
    *,
    rule: MaskingRule,
    vocabulary: Tensor | None,
    anchor_weight: float,
) -> MaskedObjective:
    """The masked objective tied to a backbone's embeddings, undoing the adapter's invertible layer if it has one."""
    table = word_embeddings_of(backbone.network).detach()
    pieces = list(backbone.tokenizer.convert_ids_to_tokens(list(range(len(backbone.tokenizer)))))
    maskable = torch.zeros(len(table), dtype=torch.bool)
    maskable[: len(pieces)] = True
    maskable[list(backbone.tokenizer.all_special_ids)] = False
    starts = torch.ones(len(table), dtype=torch.bool)
    starts[: len(pieces)] = torch.tensor(_word_starts(pieces))
    return MaskedObjective(
        embeddings=table,
        maskable=maskable,
        word_start=starts,
        mask_id=backbone.special_id("mask"),
        rule=rule,
        n_opening=backbone.prefix_length,
        vocabulary=vocabulary,
        anchor_weight=anchor_weight,
        invertible=layers.invertible,
    ).to(backbone.device)


def checkpoint_folder(output: Path) -> Path:
    """Where the checkpoints of a run with this output lie: beside it."""
    return output.with_name(f"{output.name}.checkpoint")


def _check_output(request: TrainingRequest) -> None:
    output = request.output_folder
    if output is None:
        return
    if output.exists() and not request.overwrite:
        raise ConfigError(f"{output} exists already; nothing was trained. Give another folder, or overwrite=True.")
    if output.exists() and not (output.is_dir() and {entry.name for entry in output.iterdir()} <= _ADAPTER_FILES):
        raise ConfigError(f"{output} is there and is no adapter's folder; nothing was trained. Give another folder.")
    if checkpoint_folder(output).exists() and not request.resume:
        raise ConfigError(
            f"{checkpoint_folder(output)} holds the checkpoint of an interrupted run. Go on with resume=True, or "
            "delete that folder to start again."
        )


def _model_of(request: TrainingRequest) -> AdaptedModel:
    if isinstance(request.backbone, AdaptedModel):
        return request.backbone
    try:
        torch.empty(0, device=request.device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(
            f"device {request.device!r} cannot be used here: {reason}. Give cpu, cuda or cuda:N."
        ) from error
    return load_model(request.backbone, device=request.device)


def _read_once(rows: Callable[[], Iterator[Row]]) -> Callable[[], Iterator[Row]]:
    kept = list(rows())
    return lambda: iter(kept)


def _word_starts(pieces: list[str]) -> list[bool]:
    """Which pieces begin a word, by the marks of SentencePiece, byte-level BPE and WordPiece."""
    if any(piece.startswith("##") for piece in pieces):
        return [not piece.startswith("##") for piece in pieces]
    return [piece.startswith(("\u2581", "\u0120")) for piece in pieces]


def _perplexity(measures: Mapping[str, float]) -> float | None:
    """The exponential of the masked tokens' loss; capped, as a card holds finite numbers only."""
    return math.exp(min(measures["token_loss"], 50.0)) if "token_loss" in measures else None
