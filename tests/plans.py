"""Training plans on a tiny backbone, whose processes are this one: a real one takes seconds to start."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from adaptkit.plans import work
from adaptkit.plans.child import Told
from tests.runs import PAIRS, SWAHILI
from tests.tiny import tiny_network, tiny_tokenizer

HEAD = 'backbone = "tiny"\noutput = "adapters"\nbatch_size = 8\nprecision = "fp32"\nmax_steps = 3\n'
PLAN = f"""{HEAD}
[language.sw]
text = "sw.txt"
licence = "CC0-1.0"

[task.topics]
data = "topics.tsv"
on = ["language/sw"]
max_steps = 2
"""


class InThisProcess:
    """What stands in the place of a child: it does its job before anybody listens."""

    jobs: list[Mapping[str, Any]]
    environments: list[Mapping[str, str]]
    log = Path("none.log")

    def __init__(
        self,
        job: Mapping[str, Any],
        told: Told,
        *,
        environment: Mapping[str, str],
        log: Path,
        modules: tuple[str, ...] = (),
    ) -> None:
        self.log = log
        self.jobs.append(job)
        self.environments.append(environment)
        work.answer({**job, "modules": modules}, lambda **said: told(said))
        told({"ended": 0})

    def stop(self) -> None:
        """Too late."""

    def kill(self) -> None:
        """Too late."""

    def last_line(self) -> str:
        return ""


def in_this_process(monkeypatch: pytest.MonkeyPatch) -> type[InThisProcess]:
    """Let plans start no processes; the class has what they were asked."""
    own: type[InThisProcess] = type("InThisProcess", (InThisProcess,), {"jobs": [], "environments": []})
    monkeypatch.setattr("adaptkit.plans.running.Child", own)
    monkeypatch.setattr("adaptkit.plans.measured.Child", own)
    return own


def plan_folder(folder: Path) -> Path:
    """A folder with a tiny backbone and texts for plans."""
    tiny_network().save_pretrained(folder / "tiny")
    tiny_tokenizer().save_pretrained(folder / "tiny")
    (folder / "sw.txt").write_text("\n".join(SWAHILI), encoding="utf-8")
    rows = "".join(f"{text}\t{'sports' if number % 2 else 'health'}\n" for number, (_, text) in enumerate(PAIRS))
    (folder / "topics.tsv").write_text(f"text\tlabel\n{rows}", encoding="utf-8")
    return folder
