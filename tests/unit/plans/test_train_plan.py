"""Plans that train, fail, are run again, changed and stopped; their processes are this one, but for one test."""

import json
import os
import shutil
import signal
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from adaptkit import Planning, estimate_plan, load_adapter, train_plan
from adaptkit.data.sample import sample_pairs
from adaptkit.errors import ConfigError, TrainingInterrupted
from adaptkit.plans.changed import ChangedOption
from adaptkit.plans.child import Child
from adaptkit.plans.lines import PrintedLines
from adaptkit.terminal.asking import shell_words
from adaptkit.training.loop import TrainingRun
from tests.plans import HEAD, PLAN, InThisProcess, in_this_process, plan_folder
from tests.runs import SWAHILI
from tests.unit.heads.examples import topic_texts

QUIET = Planning(progress=False)


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[InThisProcess]:
    monkeypatch.chdir(plan_folder(tmp_path))
    Path("languages.toml").write_text(PLAN, encoding="utf-8")
    return in_this_process(monkeypatch)


def trained_by(child: type[InThisProcess]) -> list[str]:
    return [str(job["train"]["options"]["output"]) for job in child.jobs if "train" in job]


def rank() -> object:
    return load_adapter("adapters/language/sw").card.training.settings["rank"]  # type: ignore[union-attr]


def test_a_plan_trains_all_and_a_second_time_none(child: type[InThisProcess]) -> None:
    summary = train_plan("languages.toml", QUIET)
    assert {it.id: it.came for it in summary} == {"language/sw": "trained", "task/topics": "trained"}
    assert load_adapter("adapters/task/topics").below == ("language/sw",)
    assert trained_by(child) == ["adapters/language/sw", "adapters/task/topics"]
    again = train_plan("languages.toml", QUIET)
    assert {it.came for it in again} == {"was done"}
    assert len(child.jobs) == 3  # one has measured
    assert again["language/sw"].learned == summary["language/sw"].learned


@pytest.mark.usefixtures("child")
def test_a_head_that_is_a_regression_is_said_to_take_no_steps() -> None:
    Path("languages.toml").write_text(f'{PLAN}\nmethod = "head"', encoding="utf-8")
    rows = "\n".join(f"{each.text}\t{each.label}" for each in topic_texts())
    Path("topics.tsv").write_text(f"text\tlabel\n{rows}\n", encoding="utf-8")
    train_plan("languages.toml", Planning(progress=False, only=("language/sw",)))
    told = estimate_plan("languages.toml", QUIET)
    assert told.costs["task/topics"]["steps"] == 0
    assert "task/topics: no steps, about " in str(told)


@pytest.mark.usefixtures("child")
def test_the_summary_is_a_page_and_json() -> None:
    summary = train_plan("languages.toml", QUIET)
    written = json.loads(Path("languages.summary/summary.json").read_text(encoding="utf-8"))
    assert [it["came"] for it in written["outcomes"]] == ["trained", "trained"]
    learned = summary["language/sw"].learned
    assert learned is not None
    assert written["outcomes"][0]["learned"]["heldout_loss_after"] == learned.heldout_loss_after
    page = Path("languages.summary/summary.html").read_text(encoding="utf-8")
    body = ET.fromstring(page[page.index("<body>") : page.index("</html>")])  # noqa: S314 - our own
    rows = [["".join(cell.itertext()) for cell in row] for row in body.iter("tr")]
    assert rows[1][0].startswith("language/sw")
    assert rows[1][1] == f"{learned.heldout_loss_before:.3f} → {learned.heldout_loss_after:.3f}"
    assert (rows[1][7], rows[1][8]) == ("CC0-1.0", "adapters/language/sw")
    assert "missing" not in page


@pytest.mark.usefixtures("child")
def test_what_fails_stops_no_other_and_is_told_at_the_end() -> None:
    more = '\n[language.ha]\ntext = "nowhere.txt"\n\n[task.other]\ndata = "topics.tsv"\non = "language/ha"\n'
    Path("languages.toml").write_text(PLAN + more, encoding="utf-8")
    summary = train_plan("languages.toml", QUIET)
    assert [it.id for it in summary if it.came == "trained"] == ["language/sw", "task/topics"]
    assert [it.id for it in summary.failed] == ["language/ha", "task/other"]
    assert summary["language/ha"].error.startswith("SourceNotFound: there is no file nowhere.txt")
    assert summary["task/other"].error == "it builds on language/ha, which has no adapter"
    assert "2 adapters are missing: language/ha, task/other" in Path("languages.summary/summary.html").read_text(
        "utf-8"
    )
    Path("nowhere.txt").write_text(Path("sw.txt").read_text("utf-8"), encoding="utf-8")
    mended = train_plan("languages.toml", QUIET)
    assert [it.came for it in mended] == ["was done", "trained", "was done", "trained"]


@pytest.mark.usefixtures("child")
def test_changed_options_are_refused_and_trained_again_on_request() -> None:
    before = train_plan("languages.toml", QUIET)
    Path("languages.toml").write_text(PLAN.replace("[language.sw]", "[language.sw]\nrank = 4"), encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"language/sw: it was trained with other options \(rank was not given, now 4\)"
    ):
        train_plan("languages.toml", QUIET)
    assert rank() == 16
    again = train_plan("languages.toml", Planning(progress=False, overwrite=True))
    assert [it.came for it in again] == ["trained", "trained"]  # the second builds on the first
    assert rank() == 4
    assert before.failed == again.failed == ()


@pytest.mark.usefixtures("child")
def test_a_file_is_the_same_however_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    train_plan("languages.toml", QUIET)
    here = Path.cwd()
    elsewhere = PLAN.replace('"sw.txt"', '"../sw.txt"').replace('"topics.tsv"', f'"{here}/topics.tsv"')
    elsewhere = elsewhere.replace('"tiny"', '"../tiny"').replace('"adapters"', f'"{here}/adapters"')
    Path("languages.toml").write_text(elsewhere, encoding="utf-8")
    Path("other").mkdir()
    monkeypatch.chdir("other")
    assert [it.came for it in train_plan("../languages.toml", QUIET)] == ["was done", "was done"]
    Path("../other.txt").write_text("\n".join(SWAHILI), encoding="utf-8")
    Path("../languages.toml").write_text(elsewhere.replace("../sw.txt", "../other.txt"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"\(text was 'sw.txt', now '../other.txt'\)"):
        train_plan("../languages.toml", QUIET)


@pytest.mark.usefixtures("child")
def test_of_options_with_parts_those_that_are_other_ones_are_named() -> None:
    long = "a-folder-with-a-name-of-more-than-thirty-letters/and-another-one"
    Path(long).mkdir(parents=True)
    for name in ("one", "two", "three"):
        shutil.copy("topics.tsv", f"{long}/{name}.tsv")
    given = f'data = {{sw = ["{long}/one.tsv", "{long}/two.tsv"]}}'
    Path("languages.toml").write_text(PLAN.replace('data = "topics.tsv"', given), encoding="utf-8")
    train_plan("languages.toml", QUIET)
    changed = given.replace("two.tsv", "three.tsv")
    Path("languages.toml").write_text(PLAN.replace('data = "topics.tsv"', changed), encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"\(data.sw was \['{long}/two.tsv'\], now \['{long}/three.tsv'\]\)"):
        train_plan("languages.toml", QUIET)


@pytest.mark.usefixtures("child")
@pytest.mark.parametrize("by_an_older_adaptkit", [False, True])
def test_what_was_trained_on_another_adapter_is_trained_again_when_that_one_is(by_an_older_adaptkit: bool) -> None:
    first = train_plan("languages.toml", QUIET)
    below = Path("adapters/language/sw")
    if by_an_older_adaptkit:
        (path,) = Path().rglob("task/topics.json")
        kept = json.loads(path.read_text())
        assert list(kept.pop("built_on")) == [str(below)]
        path.write_text(json.dumps(kept))
    shutil.rmtree(below)
    Path("sw.txt").write_text("\n".join(reversed(SWAHILI)), encoding="utf-8")
    cost = str(estimate_plan("languages.toml", QUIET))
    assert f"(replaces what is there, since {below} is trained anew)" in cost
    again = train_plan("languages.toml", QUIET)
    assert [it.came for it in first] == [it.came for it in again] == ["trained", "trained"]
    assert [it.came for it in train_plan("languages.toml", QUIET)] == ["was done", "was done"]


@pytest.mark.usefixtures("child")
def test_an_adapter_below_that_others_have_changed_counts_too() -> None:
    train_plan("languages.toml", QUIET)
    Path("other.toml").write_text(f'{HEAD}seed = 5\n[language.sw]\ntext = "sw.txt"\n', "utf-8")
    before = load_adapter("adapters/task/topics").weights_sha256
    train_plan("other.toml", Planning(progress=False, overwrite=True))
    with pytest.raises(ConfigError, match="adapters/language/sw is not the adapter that this plan has made"):
        train_plan("languages.toml", QUIET)
    again = train_plan("languages.toml", Planning(progress=False, only=("task/topics",)))
    assert again["task/topics"].came == "trained"
    assert load_adapter("adapters/task/topics").weights_sha256 != before


@pytest.mark.usefixtures("child")
def test_what_others_made_is_not_replaced() -> None:
    train_plan("languages.toml", Planning(progress=False, only=("language/sw",)))
    Path("adapters/language/sw").rename(Path("adapters/task-topics"))
    Path("languages.toml").write_text(
        f'{HEAD}[language.yo]\ntext = "sw.txt"\noutput = "adapters/task-topics"\n', "utf-8"
    )
    with pytest.raises(ConfigError, match="adapters/task-topics is there, and this plan has not made it"):
        train_plan("languages.toml", QUIET)


@pytest.mark.usefixtures("child")
def test_a_part_of_a_plan_leaves_the_rest_to_others() -> None:
    Path("languages.toml").write_text(f'{HEAD}[language.sw]\ntext="sw.txt"\n[language.yo]\ntext = "sw.txt"\n', "utf-8")
    first = train_plan("languages.toml", Planning(progress=False, part=(1, 2)))
    assert [it.came for it in first] == ["trained", "left out"]
    second = train_plan("languages.toml", Planning(progress=False, part=(2, 2)))
    assert [it.came for it in second] == ["was done", "trained"]
    assert first.failed == second.failed == ()


def test_the_cost_is_stated_before_and_kept(child: type[InThisProcess], capsys: pytest.CaptureFixture[str]) -> None:
    cost = estimate_plan("languages.toml", QUIET)
    assert cost.costs["language/sw"]["steps"] == 3
    assert cost.unknown["task/topics"] == "not measured, because it builds on language/sw, which is trained before it"
    assert "together: about" in str(cost)
    parts = [cost.costs["language/sw"][name] for name in ("started_s", "prepared_s", "elapsed_s")]
    assert min(parts) > 0
    assert cost.work_s == sum(parts)
    assert not Path("adapters").exists()
    train_plan("languages.toml", Planning(only=("language/sw",)))
    shown = capsys.readouterr().err
    assert shown.index("language/sw: 3 steps, about") < shown.index("together: ") < shown.index("sw: begins on cpu")
    assert [list(job["measure"]) for job in child.jobs if "measure" in job] == [["language/sw"], []]


def test_problems_are_told_before_anything_is_measured(
    child: type[InThisProcess], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = list(sample_pairs("sw"))[:60]
    Path("swapped.tsv").write_text("".join(f"{second}\t{first}\n" for first, second in pairs), encoding="utf-8")
    more = '\n[language.yo]\ntext = "nowhere.txt"\n\n[language.sw-swapped]\nlang = "sw"\nparallel = "swapped.tsv"\n'
    Path("languages.toml").write_text(PLAN.partition("[task")[0] + more, encoding="utf-8")
    read: list[str] = []
    measured = TrainingRun.measure_step

    def step(self: TrainingRun, rows: list[int]) -> float:
        read.append("a step is measured")
        return measured(self, rows)

    said: list[str] = []

    class Noting(child):  # type: ignore[misc, valid-type]
        def __init__(self, job: object, told: Any, **more: Any) -> None:  # noqa: ANN401
            def noted(message: Mapping[str, Any]) -> None:
                said.extend(["measured"] if read else [])
                said.append(" ".join(sorted(message)))
                told(message)

            super().__init__(job, noted, **more)

    monkeypatch.setattr(TrainingRun, "measure_step", step)
    monkeypatch.setattr("adaptkit.plans.measured.Child", Noting)
    cost = estimate_plan("languages.toml", Planning())
    assert said.index("measured") == 4  # the machine, and the look at each of three
    assert said[1:4] == ["of problems", "failed message of", "of problems"]
    shown = " ".join(capsys.readouterr().err.split())
    assert shown.count("language/yo: cannot be trained: SourceNotFound: there is no file nowhere.txt") == 1
    assert shown.count("the two sides look swapped") == 1
    assert "the two sides look swapped" in str(cost)
    assert set(cost.costs) == {"language/sw", "language/sw-swapped"}


def test_cores_are_shared_out(child: type[InThisProcess], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("adaptkit.plans.machine._n_cores", lambda: 8)
    train_plan("languages.toml", Planning(progress=False, processes=4, only=("language/sw",)))
    assert child.environments == [{"OMP_NUM_THREADS": "2"}] * 2


def test_a_process_that_dies_is_told_with_its_log(child: type[InThisProcess], monkeypatch: pytest.MonkeyPatch) -> None:
    class Dying(child):  # type: ignore[misc, valid-type]
        def __init__(self, _: object, told: Any, **__: object) -> None:  # noqa: ANN401
            told({"ended": -signal.SIGKILL})

        def last_line(self) -> str:
            return "the last words"

    monkeypatch.setattr("adaptkit.plans.running.Child", Dying)
    summary = train_plan("languages.toml", QUIET)
    assert summary["language/sw"].error == (
        "its process was ended by SIGKILL; the system ends a process so when the memory is full: the last words"
    )
    assert summary["task/topics"].came == "not begun"


@pytest.mark.usefixtures("child")
def test_an_adapter_that_came_after_the_plan_was_killed_is_done() -> None:
    summary = train_plan("languages.toml", Planning(progress=False, only=("language/sw",)))
    file = Path("languages.summary/state/language/sw.json")
    kept = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**kept, "state": "begun", "weights_sha256": ""}), encoding="utf-8")
    assert summary["language/sw"].came == "trained"
    assert (
        train_plan("languages.toml", Planning(progress=False, only=("language/sw",)))["language/sw"].came == "was done"
    )


@pytest.mark.usefixtures("child")
def test_ctrl_c_stops_real_processes_with_their_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    def pressing(self: PrintedLines, id_: str, said: Mapping[str, Any]) -> None:  # noqa: ARG001
        if said.get("step", 0) > 1:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("adaptkit.plans.running.Child", Child)
    monkeypatch.setattr(PrintedLines, "told", pressing)
    many = PLAN.replace("max_steps = 3", "max_steps = 5000")
    Path("languages.toml").write_text(many, encoding="utf-8")
    with (
        shell_words(),
        pytest.raises(TrainingInterrupted, match=r"1 interrupted, 1 not begun.*The same command goes on"),
    ):
        train_plan("languages.toml")
    assert Path("adapters/language/sw.checkpoint").is_dir()
    assert not Path("adapters/language/sw").exists()
    step = json.loads(Path("adapters/language/sw.checkpoint/checkpoint.json").read_text("utf-8"))["progress"]["step"]
    kept = json.loads(Path("languages.summary/state/language/sw.json").read_text("utf-8"))
    done = kept["steps_done"]
    assert 1 < done <= step  # the last ones are not told
    left = estimate_plan("languages.toml", QUIET)
    assert f"language/sw: {5000 - done:,} of 5,000 steps are left, about" in str(left)
    assert left.costs["language/sw"]["elapsed_s"] == pytest.approx(kept["cost"]["elapsed_s"] * (5000 - done) / 5000)
    Path("languages.toml").write_text(many.replace("batch_size = 8", "batch_size = 7"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"begun with other options \(batch_size was 8, now 7\)"):
        train_plan("languages.toml", QUIET)


def test_long_values_are_cut_where_they_differ() -> None:
    here = "a-long-name-of-a-folder/" * 12
    changed = str(ChangedOption("data", [f"{here}one.tsv"], [f"{here}two.tsv"]))
    before, now = changed.removeprefix("data was ").split(", now ")
    assert before.endswith("one.tsv']")
    assert now.endswith("two.tsv']")
    ends_alike = str(ChangedOption("licence", f"one{here}", f"two{here}"))
    assert ends_alike.startswith("licence was 'onea-long")
    assert ", now 'twoa-long" in ends_alike
    assert len(ends_alike) < 450
