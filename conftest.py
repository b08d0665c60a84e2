"""Runs the Python blocks of README.md and docs/ as tests, each page in a temporary folder."""

import gc
import logging
import os
import re
import sys

from tests import processor

os.environ["HF_HUB_OFFLINE"] = "1"
# What tests and pages save need not outlive a power cut, and each wait for the disk takes milliseconds.
os.fsync = lambda fd: None  # noqa: ARG005
# What is printed does not depend on what else this machine does.
os.getloadavg = lambda: (0.0, 0.0, 0.0)
# A pool of compilers is a process more, which imports torch anew.
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
# Whatever the shell says: processes that tests start would compile five hundred files of ours anew, each of them.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
gc.disable()  # until all tests are collected: nothing that is imported becomes garbage
processor.act_as_chosen()

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sybil import Document, Region, Sybil
from sybil.parsers.markdown import PythonCodeBlockParser
from sybil.region import Lexeme

from adaptkit.backbones import place
from adaptkit.data import sample
from tests import few_blocks, large_tokenizers

large_tokenizers.keep()


@pytest.fixture(scope="session")
def page_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    (folder / "adapters_zoo").symlink_to(Path(__file__).parent / "adapters_zoo")  # as it lies in a checkout
    return folder


@pytest.fixture(scope="session")
def shallow(tmp_path_factory: pytest.TempPathFactory) -> dict[str, place.EmbeddedBackbone]:
    """The embedded backbones without most of their blocks, in a folder for all processes of this run."""
    place_of_run = tmp_path_factory.getbasetemp()
    folder = place_of_run.parent if "PYTEST_XDIST_WORKER" in os.environ else place_of_run
    return {name: few_blocks.embedded(name, folder / name) for name in place.EMBEDDED}


WHOLE = ("README.md", "decoders.md", "evaluate.md", "explain.md", "zoo.md", "small-memory.md", "fill-mask.md")
"""Pages that take adapters of the zoo, read two forms of one backbone, count bytes or ask what the backbone knows. The
others run on its first blocks."""


@pytest.fixture
def in_page_folder(page_folder: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page saves lands where nobody looks, and is there for its next block. It trains on a third of the sample.

    Before the few steps of a page, each sentence runs through the frozen backbone: most of what a page takes.
    """
    monkeypatch.chdir(page_folder)
    fewer = sample.sample_sentences()[::3]
    monkeypatch.setattr(sample, "sample_sentences", lambda: fewer)
    if request.path.name not in WHOLE:
        monkeypatch.setattr(place, "EMBEDDED", request.getfixturevalue("shallow"))


LONGEST_FIRST = (
    "tests/several/test_several.py",
    "tests/real_data/test_memory_case.py",
    "tests/conformance/test_precisions.py",
    "tests/conformance/test_bound.py",
    "tests/unit/interchange/test_onnx.py",
)
LONGEST_PAGES = (
    "serve-elsewhere.md",
    "decoders.md",
    "zoo.md",
    "evaluate.md",
    "generate.md",
    "serve.md",
    "README.md",
    "merge.md",
)
"""Files that take longest, and pages, which come last: so that none begins when the other process has nothing left."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first, and the pages last, the longest of them first."""
    root = Path(__file__).parent
    turns = {path: (0, turn) for turn, path in enumerate(LONGEST_FIRST)}

    def turn(item: pytest.Item) -> tuple[int, int]:
        path = item.path.relative_to(root) if item.path.is_relative_to(root) else item.path
        if path.suffix != ".md":
            return turns.get(path.as_posix(), (1, 0))
        return (2, LONGEST_PAGES.index(path.name) if path.name in LONGEST_PAGES else len(LONGEST_PAGES))

    items.sort(key=turn)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """A million objects of modules and tests are there to stay: the garbage collector need not look at them again.

    pytest listens at each logger that hands nothing on, three times a test: torch alone has forty of them.
    """
    try:
        return (yield)
    finally:
        for logger in logging.root.manager.loggerDict.values():
            if isinstance(logger, logging.Logger):
                logger.propagate = True
        gc.collect()
        gc.freeze()
        gc.enable()


MOST_STEPS = 4
SHORTENED = ("fill-mask.md", "fine-tune-in-ten-lines.md")
"""Pages whose trainings take as many steps as the answers on them need; run as tests, they are short."""
_ASKED = re.compile(r"max_steps=(\d+)")
_A_FEW = re.compile(r"Run\(max_steps=(\d)\b(?![^)]*batch_size)")
_python = PythonCodeBlockParser()


def with_short_trainings(page: Document) -> Iterator[Region]:
    """The blocks of Python of a page, with fewer steps where nothing in it asks what was learned.

    Nor does anything ask what a few steps taught: they take smaller batches.
    """
    for region in _python(page):
        block = _A_FEW.sub(r"Run(max_steps=\1, batch_size=8", region.parsed)
        if Path(page.path).name in SHORTENED:
            block = _ASKED.sub(lambda asked: f"max_steps={min(int(asked[1]), MOST_STEPS)}", block)
        region.parsed = Lexeme(block, region.parsed.offset, region.parsed.line_offset)
        yield region


def forget(page: dict[str, Any]) -> None:
    """The models of a page take gigabytes."""
    page.clear()


pytest_collect_file = Sybil(
    parsers=[with_short_trainings],
    patterns=["README.md", "docs/*.md", "docs/*/*.md"],
    # A page that needs a hub is run with one by tests/unit/interchange/test_share_page.py; pages on examples are run
    # by tests/unit/examples, the page on the server by tests/unit/serving/test_server.py, and the one on many LoRAs in
    # ONNX by tests/unit/interchange/test_onnx_adapters.py.
    excludes=[
        "tests/golden/v*/*/README.md",
        "docs/how-to/share.md",
        "docs/how-to/onnx-for-many.md",
        "docs/how-to/server.md",
        "docs/how-to/add-a-method.md",
        "docs/how-to/add-a-task-type.md",
        "docs/how-to/add-an-objective.md",
    ],
    fixtures=["in_page_folder"],
    teardown=forget,
).pytest()
