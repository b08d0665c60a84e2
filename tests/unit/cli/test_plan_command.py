"""`--plan` of `adaptkit train` and `adaptkit estimate`."""

import json
from pathlib import Path

import pytest

from tests.plans import PLAN, in_this_process, plan_folder
from tests.unit.cli.conftest import Command


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(plan_folder(tmp_path))
    Path("languages.toml").write_text(PLAN, encoding="utf-8")
    in_this_process(monkeypatch)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_it_trains_a_plan_and_says_what_came(adaptkit: Command) -> None:
    done = adaptkit("train", "--plan", "languages.toml", "--only", "language/sw")
    assert done.status == 0, done.err
    assert "language/sw: trained; held-out loss" in done.out
    assert "summary: languages.summary/summary.html" in done.out
    Path("topics.tsv").unlink()
    failed = adaptkit("train", "--plan", "languages.toml", "--no-progress")
    assert (failed.status, failed.err) == (1, "")
    assert "languages.toml: 2 adapters, 1 done before, 1 failed" in failed.out


@pytest.mark.usefixtures("folder")
def test_it_estimates_a_plan(adaptkit: Command) -> None:
    done = adaptkit("estimate", "--plan", "languages.toml")
    assert "language/sw: 3 steps, about" in done.out
    assert not Path("adapters").exists()
    told = json.loads(adaptkit("estimate", "--plan", "languages.toml", "--json").out)
    first, second = told["trainings"]
    assert (first["id"], first["cost"]["steps"], first["error"]) == ("language/sw", 3, None)
    assert (second["id"], second["cost"]) == ("task/topics", None)
    assert told["elapsed_s"] >= first["cost"]["elapsed_s"] > 0


@pytest.mark.usefixtures("folder")
def test_an_estimate_takes_what_its_refusal_tells(adaptkit: Command) -> None:
    trained = adaptkit("train", "--plan", "languages.toml", "--only", "language/sw", "--quiet")
    assert (trained.status, trained.out, trained.err) == (0, "", "")
    Path("languages.toml").write_text(PLAN.replace("max_steps = 3", "max_steps = 4"), encoding="utf-8")
    refused = adaptkit("estimate", "--plan", "languages.toml")
    assert "max_steps was 3, now 4" in refused.err
    assert "--overwrite trains these again" in refused.err
    told = adaptkit("estimate", "--plan", "languages.toml", "--overwrite")
    assert "language/sw: 4 steps, about" in told.out
    assert "(replaces what is there)" in told.out
    alone = adaptkit("estimate", "--lang", "sw", "--overwrite")
    assert "--overwrite belongs to a training plan: give --plan FILE too." in alone.err


@pytest.mark.usefixtures("folder")
def test_no_cost_is_told_where_none_was_measured(adaptkit: Command) -> None:
    Path("sw.txt").unlink()
    told = adaptkit("estimate", "--plan", "languages.toml")
    assert told.out.endswith("what the rest would cost is not known yet\n")
    assert "0.0 GiB" not in told.out


WRONG = {
    "--rank and --plan are both given; options of trainings stand in the plan: write rank = ... at the top of": (
        *("--plan", "languages.toml", "--rank", "4"),
    ),
    "--processes belongs to a training plan: give --plan FILE too.": ("--lang", "sw", "--processes", "2"),
    "--part takes a number and a count, such as 2/4, found 'x'.": ("--plan", "languages.toml", "--part", "x"),
    "--part 5/4 is no part; parts of 4 are 1 to 4.": ("--plan", "languages.toml", "--part", "5/4"),
    "nowhere.toml cannot be read": ("--plan", "nowhere.toml"),
}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("message", WRONG)
def test_what_does_not_go_together_is_refused(message: str, adaptkit: Command) -> None:
    refused = adaptkit("train", *WRONG[message])
    assert (refused.status, message in refused.err) == (1, True), refused.err
