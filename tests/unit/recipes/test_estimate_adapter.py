from pathlib import Path

import pytest
import torch

import adaptkit
from adaptkit import Source
from adaptkit.data.sample import sample_pairs
from adaptkit.errors import UnsuitableText
from adaptkit.model import AdaptedModel
from adaptkit.recipes.train import problems_of
from adaptkit.requests.announced import announce
from adaptkit.training.loop import TrainingRun
from adaptkit.training.processes import Processes
from tests.calls import asked, estimate_adapter, task_request, train_adapter
from tests.runs import PAIRS, SWAHILI


def test_an_estimate_trains_and_writes_nothing(
    model: AdaptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    state = torch.get_rng_state()
    estimate_adapter(lang="sw", text=SWAHILI, backbone=model, output=tmp_path / "sw", progress=False)
    assert list(tmp_path.iterdir()) == []
    assert not model.attached
    assert torch.equal(torch.get_rng_state(), state)


def test_the_figures_are_plausible(model: AdaptedModel) -> None:
    found = estimate_adapter(lang="sw", parallel=PAIRS, backbone=model, max_steps=40)
    assert (found.objective, found.n_sentences, found.n_steps) == ("distill", 60, 40)
    assert 0 < found.elapsed_s < 600
    assert found.peak_memory_bytes > 50 * 2**20
    adapter = train_adapter(lang="sw", parallel=PAIRS, backbone=model, max_steps=1, progress=False)
    assert found.adapter_bytes == 4 * adapter.n_parameters
    assert found.triage is not None
    assert found.triage.unknown_share == 0.0


@pytest.mark.parametrize(("steps", "measured"), [(1, 2), (2, 2), (4, 4), (40, 6)])
def test_a_run_of_few_steps_is_not_measured_for_longer_than_it_takes(
    steps: int, measured: int, model: AdaptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def noted(_: TrainingRun, rows: list[int]) -> float:
        sizes.append(len(rows))
        return 1.0

    monkeypatch.setattr(TrainingRun, "measure_step", noted)
    monkeypatch.setattr(TrainingRun, "measure_heldout", lambda *_: 0.0)
    pairs = sample_pairs("sw")[:80]
    found = estimate_adapter(lang="sw", parallel=pairs, backbone=model, max_steps=steps, batch_size=4)
    assert (len(sizes), found.elapsed_s) == (measured, steps)


def test_the_memory_is_that_of_the_process_that_needs_most(
    model: AdaptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 10**15
    of_each = Processes.of_each

    def with_a_large_one(self: Processes, value: object) -> list[object]:
        return [*of_each(self, value), *([most] if isinstance(value, int) else [])]

    monkeypatch.setattr(Processes, "of_each", with_a_large_one)
    asked = estimate_adapter(lang="sw", parallel=PAIRS, backbone=model, max_steps=40)
    assert most <= asked.peak_memory_bytes < 1.01 * most  # and what this run will keep


def test_the_plan_is_told_and_nothing_printed(model: AdaptedModel, capsys: pytest.CaptureFixture[str]) -> None:
    told = str(adaptkit.estimate_adapter(lang="sw", text=SWAHILI, backbone=model, run=adaptkit.Run(max_steps=40)))
    assert "language/sw (lora" in told
    assert "text: a list of 60 sentences" in told
    assert "for 40 steps of 32; peak memory about" in told
    assert told.startswith("cost: about ")
    assert capsys.readouterr() == ("", "")


def test_a_run_that_may_end_early_says_when(model: AdaptedModel) -> None:
    asked = {"lang": "sw", "parallel": PAIRS, "backbone": model, "max_steps": 40}
    early = estimate_adapter(**asked, evaluate_every=5, patience=2)
    assert "the run ends early where there is no lower held-out loss in 2 evaluations, one every 5 steps" in early.plan
    assert not any("ends early" in line for line in estimate_adapter(**asked).plan)


def test_triage_refuses_before_anything_is_measured(model: AdaptedModel) -> None:
    text = [f"ཀ་ཁ་ག་ {'ང་' * number}" for number in range(30)]
    with pytest.raises(UnsuitableText):
        estimate_adapter(lang="dz", text=text, backbone=model, max_steps=40, progress=False)
    assert not model.attached


def test_swapped_columns_are_told_before_the_training(model: AdaptedModel) -> None:
    pairs = list(sample_pairs("sw"))[:60]
    asked = {"lang": "sw", "source_lang": "en", "backbone": model, "max_steps": 2}
    right = estimate_adapter(**asked, parallel=pairs)
    wrong = estimate_adapter(**asked, parallel=[(second, first) for first, second in pairs])
    assert not any("swapped" in problem for problem in right.problems)
    (said,) = (problem for problem in wrong.problems if "swapped" in problem)
    assert "the side read as Swahili looks like English" in said
    assert wrong.plan[-1] == f"warning: {said}"
    assert any("is read as Swahili, and “" in line for line in right.plan)
    assert not any("is read as" in line for line in estimate_adapter(**asked, parallel=pairs, private=True).plan)


def test_swapped_columns_of_a_translation_task_are_told_before_anything_is_measured() -> None:
    pairs = list(sample_pairs("sw"))[:60]
    asked = {"task": "translation", "source_lang": "en", "lang": "sw"}
    assert problems_of(task_request(**asked, data=pairs)) == ()
    (said,) = problems_of(task_request(**asked, data=[(second, first) for first, second in pairs]))
    assert "the two sides look swapped" in said


def test_each_of_several_sources_of_one_name_is_looked_at(model: AdaptedModel) -> None:
    pairs = list(sample_pairs("sw"))[:60]
    swapped = [(second, first) for first, second in pairs]
    sources = [Source(each, name="news", source_lang="en") for each in (swapped, pairs)]
    found = estimate_adapter(lang="sw", backbone=model, max_steps=2, parallel=sources)
    (said,) = (problem for problem in found.problems if "swapped" in problem)
    assert said.startswith("news: ")


def test_a_swapped_file_is_told_among_right_ones_of_its_source(model: AdaptedModel, tmp_path: Path) -> None:
    pairs = list(sample_pairs("sw"))[:50]

    def written(name: str, *, turned: bool) -> Path:
        lines = (f"{two}\t{one}\n" if turned else f"{one}\t{two}\n" for one, two in pairs)
        path = tmp_path / f"{name}.tsv"
        path.write_text("".join(lines), encoding="utf-8")
        return path

    files = [written(str(number), turned=number > 4) for number in range(6)]

    def problems(given: list[Path], **options: int) -> list[str]:
        asked = {"lang": "sw", "source_lang": "en", "backbone": model, "max_steps": 2, **options}
        found = estimate_adapter(**asked, parallel=Source(given)).problems
        return [problem for problem in found if "look swapped" in problem]

    assert not problems(files[:5])
    (said,) = problems(files)
    assert said.startswith("5.tsv: the two sides look swapped: ")
    (said,) = problems_of(task_request(task="translation", source_lang="en", lang="sw", data=files))
    assert said.startswith("5.tsv: the two sides look swapped: ")
    # Behind the budget, the last one is not trained on.
    assert not problems(files, max_tokens=3_000)
    for path in files:
        written(path.stem, turned=path != files[0])
    (said,) = problems(files)
    assert said.startswith("1.tsv, 2.tsv, 3.tsv and 2 more: ")
    written("0", turned=True)
    (said,) = problems(files)
    assert said.startswith("6 files: ")


def test_held_out_sentences_that_are_trained_on_too_are_told(model: AdaptedModel) -> None:
    asked = {"lang": "sw", "backbone": model, "max_steps": 2}
    repeated = estimate_adapter(**asked, text=SWAHILI[:10] * 6)
    assert any("of the held-out sentences are also trained on" in problem for problem in repeated.problems)
    different = estimate_adapter(**asked, text=SWAHILI)
    assert not any("also trained on" in problem for problem in different.problems)


def test_what_is_prepared_is_said_at_once(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    announce(asked(lang="sw", text="corpus.txt"))
    assert capsys.readouterr().err.startswith("preparing the training of sw: reading the text, loading the backbone")
    announce(asked(lang="sw", domain="medical", text="corpus.txt"))
    assert capsys.readouterr().err.startswith("preparing the training of medical (sw): reading the text")
    announce(task_request(task="t", data="rows.tsv"))
    assert "the training of t: reading the examples" in capsys.readouterr().err
    announce(asked(lang="sw", text="corpus.txt", progress=False))
    monkeypatch.setenv("RANK", "1")
    announce(asked(lang="sw", text="corpus.txt"))
    assert capsys.readouterr() == ("", "")
