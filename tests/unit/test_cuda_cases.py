"""The cases of `make cuda`, tried without a GPU: they run, they allow for rounding, and they notice what is wrong."""

import json
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from adaptkit.attaching import RowGroups, SiteHooks
from adaptkit.backbones.linears import Int8Linear
from adaptkit.backbones.stored_tensors import RowReader
from adaptkit.layers import LoraLayer
from adaptkit.layers.lora import _LowRankTerm
from adaptkit.training.state import TrainingState
from benchmarks.cuda.case import Case, Check, Outcome, distance
from benchmarks.cuda.cases import all_cases
from benchmarks.cuda.options import DEAD, LATE, Options
from benchmarks.cuda.place import Place
from benchmarks.cuda.results import Results
from benchmarks.cuda.supervisor import supervise
from benchmarks.cuda.worker import run_all, run_one
from tests.cuda.jitter import Jitter

CPU = torch.device("cpu")
ENCODE, PAGED, EIGHT = "encode: bert, 32 bits", "encode: 32 bits, paged embeddings", "encode: bert, 8 bits"
LORA = "train: lora by distillation, 32 bits, fp32"
CHECKPOINTED = f"{LORA}, gradient checkpointing"
ROWS = "stacks: bert, 32 bits"
RESUMED, DROPOUT = "state: an interrupted run, resumed", "state: dropout under gradient checkpointing"
TRIED = [
    ENCODE,
    "encode: 4 bits, nf4 embeddings, trimmed, types as by default",
    "moved to the device and back: 4 bits, paged embeddings",
    ROWS,
    "passes: bound, 8 bits",
    "passes: recorded, 32 bits",
    "passes: banks, 32 bits",
    "passes: written, rows under their own stacks",
    "recorded: lora by distillation, 32 bits, fp32",
    "recorded: lora with dropout, broken off",
    "stacks: attached, swapped, detached",
    "predict: 32 bits",
    "save, load, attach: bottleneck + invertible on bert",
    "trained on the device, attached at all bits",
    LORA,
    "train: bottleneck + invertible by mlm, 32 bits, bf16, gradient checkpointing",
    "train: lora by clm on llama, untied, 4 bits, bf16, gradient checkpointing",
    "train: head for tagging, 32 bits, fp32",
]
TF32_ROUNDINGS = 2.0**13


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cases")


@contextmanager
def patched(owner: type, name: str, made: Callable[[Any], Any]) -> Iterator[None]:
    """Put something made of a method in its place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, made(getattr(owner, name)))
        yield


def scaled(by: float) -> Callable[[Any], Any]:
    return lambda right: lambda *args: right(*args) * by


def strayed(right: Any) -> Any:  # noqa: ANN401
    """A LoRA whose contribution is too large by a hundredth."""
    return lambda layer, x, y: y + 1.01 * (right(layer, x, y) - y)


def neighbours(right: Any) -> Any:  # noqa: ANN401
    """A reader that is one row off."""
    return lambda reader, rows: torch.roll(right(reader, rows), 1, dims=0)


def wrong_gradient(right: Any) -> Any:  # noqa: ANN401
    def backward(ctx: Any, gradient: Tensor) -> Any:  # noqa: ANN401
        of_output, of_x, of_a, of_b, scale = right(ctx, gradient)
        return of_output, of_x, of_a, of_b * 1.02, scale

    return staticmethod(backward)


def without_plan(_right: Any) -> Any:  # noqa: ANN401
    """What transformers would do by itself: the plan is gone when a block is computed again."""
    return lambda _hooks, function, *args: checkpoint(function, *args, use_reentrant=True)


def drawn_anew(_right: Any) -> Any:  # noqa: ANN401
    def again(hooks: SiteHooks, function: Any, *args: Any) -> object:  # noqa: ANN401
        plan = hooks.plan

        def with_plan(*given: Any) -> object:  # noqa: ANN401
            with hooks.in_force(plan):
                return function(*given)

        return checkpoint(with_plan, *args, use_reentrant=False, preserve_rng_state=False)

    return again


def without_moments(right: Any) -> Any:  # noqa: ANN401
    def restore(state: TrainingState, tensors: dict[str, Tensor]) -> None:
        right(state, {name: torch.zeros_like(t) if "moment" in name else t for name, t in tensors.items()})

    return restore


FAULTS: dict[str, tuple[str, Callable[[], AbstractContextManager[object]]]] = {
    "products in TF32": (ENCODE, lambda: Jitter(TF32_ROUNDINGS)),
    "a LoRA too strong": (LORA, lambda: patched(LoraLayer, "forward", strayed)),
    "rows of neighbours": (PAGED, lambda: patched(RowReader, "read", neighbours)),
    "weights of 8 bits too large": (EIGHT, lambda: patched(Int8Linear, "weight_as", scaled(1.05))),
    "rows not put back in order": (ROWS, lambda: patched(RowGroups, "restored", lambda _: lambda _groups, x: x)),
    "a wrong gradient": (LORA, lambda: patched(_LowRankTerm, "backward", wrong_gradient)),
    "a plan lost in recomputation": (CHECKPOINTED, lambda: patched(SiteHooks, "checkpoint", without_plan)),
    "dropout drawn anew in recomputation": (DROPOUT, lambda: patched(SiteHooks, "checkpoint", drawn_anew)),
    "moments lost at resuming": (RESUMED, lambda: patched(TrainingState, "restore", without_moments)),
}


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "cuda.json", {})


@pytest.mark.parametrize("name", TRIED)
def test_rounding_of_another_device_is_allowed_for(name: str, folder: Path) -> None:
    outcome = all_cases()[name].run(Place(CPU, folder, Jitter))
    assert outcome.checks
    assert [check for check in outcome.checks if not check.passed] == []
    if not name.startswith(("save", "moved", "passes")):  # those are equal to the bit on one device
        assert any(check.error > 0 for check in outcome.checks)  # or nothing was tried


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_noticed(fault: str, folder: Path, results: Results) -> None:
    name, meanwhile = FAULTS[fault]
    case = all_cases()[name]
    run_one(case, Place(CPU, folder), results)
    assert results.failed == []
    run_one(case, Place(CPU, folder, meanwhile), results)
    assert results.failed == [name]


def test_all_parts_of_the_library_have_cases() -> None:
    kinds = {name.partition(":")[0].partition(",")[0] for name in all_cases()}
    assert {"real", "encode", "moved to the device and back", "stacks", "predict", "save", "train", "state"} <= kinds


def test_numbers_that_are_none_are_infinitely_far_off() -> None:
    one = torch.ones(3)
    assert not distance(torch.full((3,), torch.nan), one) <= 1.0
    assert distance(one[:2], one) == torch.inf
    assert distance(one, torch.zeros(3)) == torch.inf
    assert distance(one * 1.5, one) == pytest.approx(0.5)


def test_the_run_goes_on_behind_a_failure_and_writes_after_each_case(tmp_path: Path, results: Results) -> None:
    written: list[int] = []

    def broken(_place: Place) -> Outcome:
        raise RuntimeError("device-side assert")

    def last(_place: Place) -> Outcome:
        content = json.loads((tmp_path / "cuda.json").read_text(encoding="utf-8"))
        written.append(len(content["measured"]["cases"]))
        assert content["measured"]["running"] == "last"
        return Outcome(figures={"tokens_per_s": 5.0})

    cases = [Case("broken", broken), Case("last", last)]
    assert run_all(cases, Place(CPU, tmp_path), results, until=time.time() + 60) == 0
    assert written == [1]
    content = json.loads((tmp_path / "cuda.json").read_text(encoding="utf-8"))
    assert "device-side assert" in content["measured"]["cases"]["broken"]["error"]
    assert content["measured"]["cases"]["last"]["figures"] == {"tokens_per_s": 5.0}
    assert not content["measured"]["cases"]["last"]["passed"]  # nothing was checked
    assert content["versions"]["torch"] == torch.__version__
    late = [Case("late", last)]
    assert run_all(late, Place(CPU, tmp_path), results, until=time.time() - 1) == LATE
    assert "late" not in results.cases
    content = json.loads((tmp_path / "cuda.json").read_text(encoding="utf-8"))
    assert content["measured"]["not_run"] == ["late"]


WORKER = """
    import json, os, pathlib, sys, time
    path, ending = pathlib.Path(sys.argv[1]), sys.argv[2]
    content = {"measured": {"passed": 0, "failed": 0, "running": None, "cases": {}}}
    if path.exists():
        content = json.loads(path.read_text())
        content["measured"]["cases"]["second"] = {"passed": True}
        path.write_text(json.dumps(content))
        sys.exit(0)
    content["measured"]["running"] = "first"
    path.write_text(json.dumps(content))
    if ending == "hangs":
        time.sleep(60)
    if ending == "is lost":
        content["measured"] |= {"running": None, "cases": {"first": {"passed": False, "error": "illegal access"}}}
        path.write_text(json.dumps(content))
        sys.exit(int(sys.argv[3]))
    os.abort()
"""


@pytest.mark.parametrize(
    ("ending", "why"), [("crashes", "died"), ("hangs", "no result"), ("is lost", "illegal access")]
)
def test_a_case_that_takes_the_process_with_it_costs_that_case_only(ending: str, why: str, tmp_path: Path) -> None:
    output = tmp_path / "cuda.json"
    worker = [sys.executable, "-c", textwrap.dedent(WORKER), str(output), ending, str(DEAD)]
    # On a busy machine, a process that ends may take seconds to do so.
    assert supervise(worker, output, until=time.time() + 60, silent_s=3.0 if ending == "hangs" else 50.0)
    cases = Results(output, {}).cases
    assert cases["second"]["passed"]
    assert why in cases["first"]["error"]


def test_workers_share_the_cases_and_one_file_has_them_all(tmp_path: Path) -> None:
    asked = Options.of([f"--output={tmp_path / 'cuda.json'}", "--only=case", "--workers=2", "--device=cpu"])
    names = ["case 0", "other", "case 1", "case 2"]
    for share in asked.shares:
        assert Options.of(share.arguments) == share
        part = Results(share.output, {"workers": "2"})
        for name in share.of_share(names):
            part.done(name, Outcome((Check("x", float(name[-1]), 1.0),)), 1.0, None)
        part.left([f"late {share.worker}"])
    results = Results.merged(asked.output, [share.output for share in asked.shares])
    assert sorted(results.cases) == ["case 0", "case 1", "case 2"]
    assert results.failed == ["case 2"]
    content = json.loads(asked.output.read_text(encoding="utf-8"))
    assert content["measured"]["passed"] == 2
    assert content["measured"]["not_run"] == ["late 0", "late 1"]
    assert list(tmp_path.iterdir()) == [asked.output]


def test_a_worker_that_cannot_begin_is_not_begun_again(tmp_path: Path) -> None:
    started = tmp_path / "started"
    script = f"open({str(started)!r}, 'a').write('x'); raise SystemExit(1)"
    assert not supervise([sys.executable, "-c", script], tmp_path / "cuda.json", until=time.time() + 60)
    assert started.read_text(encoding="ascii") == "x"
