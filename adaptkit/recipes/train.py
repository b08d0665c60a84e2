"""The public verbs: `train_adapter` and `estimate_adapter`."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing, nullcontext
from dataclasses import replace
from inspect import signature
from typing import Never, ParamSpec

from adaptkit.data.letters import NormalForm
from adaptkit.data.lexicon_source import LexiconSource
from adaptkit.data.mix import Parallels, Texts
from adaptkit.labelled import ReadingOptions
from adaptkit.methods import MethodOptions
from adaptkit.model import AdaptedModel
from adaptkit.options import Options
from adaptkit.recipes.estimate import Estimate
from adaptkit.recipes.place import check_output, output_taken, processes_of, trackers_folder
from adaptkit.recipes.task import TaskTraining, dev_examples, read_examples
from adaptkit.recipes.text import TextTraining
from adaptkit.recipes.text_look import TextLook
from adaptkit.regularisers import Asked as Regularisers
from adaptkit.requests import AnyRequest, Output, Pretrained, Run, TaskRequest, request_for
from adaptkit.requests.announced import announce
from adaptkit.requests.output import PathOrName
from adaptkit.requests.task import ON_DROPOUT, Labelled
from adaptkit.requests.text import MAX_TOKENS
from adaptkit.storage import Adapter
from adaptkit.task_types.class_weights import ClassWeights
from adaptkit.training import Display, open_display
from adaptkit.training.display import Silent
from adaptkit.training.trackers import require_trackers

Asked = ParamSpec("Asked")


def train_adapter(
    *,
    lang: str | Sequence[str] | None = None,
    domain: str | None = None,
    task: str | None = None,
    name: str | None = None,
    text: "Texts | Mapping[str, Texts] | None" = None,
    parallel: "Parallels | Mapping[str, Parallels] | None" = None,
    lexicon: "LexiconSource | None" = None,
    new_pieces: int | None = None,
    source_lang: str | None = None,
    start: Adapter | PathOrName | None = None,
    column: str | None = None,
    max_tokens: int | None = MAX_TOKENS,
    force: bool = False,
    data: "Labelled | None" = None,
    dev: "Labelled | None" = None,
    task_type: str | None = None,
    reading: ReadingOptions | None = None,
    prefix: str | None = None,
    max_answer_tokens: int | None = None,
    sampling_alpha: float | None = None,
    class_weights: ClassWeights | None = None,
    regularisers: Regularisers | Sequence[Regularisers] = (),
    normalize: NormalForm | None = None,
    on: Adapter | PathOrName | Sequence[Adapter | PathOrName] = (),
    drop_top_layer: bool = False,
    on_dropout: float = ON_DROPOUT,
    objective: str | Options = "auto",
    method: str | MethodOptions = "lora",
    invertible: bool = False,
    backbone: PathOrName | Pretrained | AdaptedModel | None = None,
    run: Run | None = None,
    output: PathOrName | Output | None = None,
    **misplaced: Never,
) -> Adapter:
    """Train an adapter; what each option means stands at the requests and in docs/how-to/train.md.

    `lang` alone gives a language adapter, `domain` a domain adapter on text in `lang`, `task` a task adapter with its
    head on labelled `data`. Several languages in `lang`, with a `name` and the text of each by its language, give one
    adapter for all of them; `start` names one whose weights a language starts from. `on` names frozen adapters to train
    on top of; of several language adapters, each batch of a task has that of its own language below.

    Language and domain adapters: with `parallel`, the sentences are pulled towards the frozen backbone's vectors of
    their translations (distill). With `text` and a `lexicon`, which has words and their English, they are pulled
    towards the vectors of what it makes of them (gloss); with `text` alone, masked tokens are predicted (mlm). With
    neither, Wikipedia is streamed from the hub, or the package's own small sample is taken where no hub answers; that
    is said first.

    A language adapter in a script that the tokenizer does not know brings `new_pieces` of text, learned from its own,
    each with an embedding row that trains too (docs/how-to/unknown-scripts.md).

    A name stands for a value with its defaults: `method="lora"` for `Lora()`, `objective="distill"` for `Distill()`,
    a folder in `output` for `Output(folder)`, and a hub id or folder in `backbone` for `Pretrained(...)`.

    Raises:
        ConfigError: Options that cannot be right; `UnknownLanguage` for `lang`.
        DataError: Text that is not there, is malformed, or that the tokenizer cannot represent.
        BackboneError: A backbone that cannot be loaded.
        TrainingInterrupted: Ctrl-C or SIGTERM; with `output`, the same call with `Output(folder, resume=True)` goes on.
        CallbackFailed: The callback in `run` raised something; likewise.
        ProcessFailed: Of several processes that train together, another one cannot go on.
        CannotWrite: The adapter cannot be saved, as on a full disk; it says where the last checkpoint is.
        CheckpointError: There is nothing to resume, or another run's checkpoint.
        DivergedTraining: The loss is not a finite number any more.
    """
    asked = locals()
    request = request_for(asked | asked.pop("misplaced"))
    announce(request)
    return train(request)


def _asked_as(other: Callable[Asked, Adapter]) -> Callable[[Callable[..., Estimate]], Callable[Asked, Estimate]]:
    """Let a function have the parameters of another."""

    def asked_so(function: Callable[..., Estimate]) -> Callable[Asked, Estimate]:
        own = signature(other).replace(return_annotation=Estimate)
        setattr(function, "__signature__", own)  # noqa: B010 - an attribute that mypy knows on no function
        return function

    return asked_so


@_asked_as(train_adapter)
def estimate_adapter(**asked: object) -> Estimate:
    """What `train_adapter` would cost for the same: triage, time, peak memory, size. Trains, writes and prints nothing.

    Raises:
        AdaptkitError: What `train_adapter` would raise before it starts.
    """
    request = request_for(asked)
    return estimate(replace(request, run=replace(request.run, progress=False)), Silent())


def train(request: AnyRequest, told: Display | None = None) -> Adapter:
    """`train_adapter` for a request; `told` is told what it does, in the place of what is shown otherwise."""
    began = time.monotonic()
    shown, processes = request.run.progress, processes_of(request.backbone)
    with (
        open_display(shown=shown and processes.is_main) if told is None else nullcontext(told) as display,
        ExitStack() as until_trained,
    ):
        with processes.together():
            if processes.is_main:
                require_trackers(request.run.trackers, trackers_folder(request.output.path))
                until_trained.enter_context(output_taken(request.output))
            training = until_trained.enter_context(closing(_training_of(request, display)))
        if shown:
            for line in training.describe(_estimated(training, began)):
                display.note(line)
            if request.output.path is None:
                display.note("no output folder: the run keeps nothing on disk, and cannot be resumed")
        return training.train()


def problems_of(request: AnyRequest) -> tuple[str, ...]:
    """What is worth a look in the text of a training, a sentence each. Reads what is to be learned from, and no more.

    Raises:
        AdaptkitError: What `train` would raise of request, text and backbone before it starts.
    """
    check_output(request.output)
    if isinstance(request, TaskRequest):
        data = read_examples(request)
        if request.dev is not None:
            dev_examples(request, data)
        return data.warnings
    return TextLook(request, Silent()).problems


def estimate(request: AnyRequest, display: Display) -> Estimate:
    """`estimate_adapter` for a request; the display is told what is chosen and measured on the way."""
    began = time.monotonic()
    processes = processes_of(request.backbone)
    with ExitStack() as until_measured:
        with processes.together():
            if processes.is_main:
                require_trackers(request.run.trackers, trackers_folder(request.output.path))
                check_output(request.output)
            training = until_measured.enter_context(closing(_training_of(request, display)))
        found = _estimated(training, began)
        return replace(found, plan=tuple(training.describe(found)))


def _estimated(training: TextTraining | TaskTraining, began: float) -> Estimate:
    """What it costs, with what it has cost since it `began`."""
    found = training.estimate()
    return replace(found, preparation_s=time.monotonic() - began - found.begun_s)


def _training_of(request: AnyRequest, display: Display) -> TextTraining | TaskTraining:
    return TaskTraining(request, display) if isinstance(request, TaskRequest) else TextTraining(request, display)
