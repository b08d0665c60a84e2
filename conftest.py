"""Runs the Python blocks of README.md and docs/ as tests, each page in a temporary folder."""

import os

from tests import processor

os.environ["HF_HUB_OFFLINE"] = "1"
processor.act_as_chosen()

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser


@pytest.fixture(scope="session")
def page_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    (folder / "adapters_zoo").symlink_to(Path(__file__).parent / "adapters_zoo")  # as it lies in a checkout
    return folder


@pytest.fixture
def in_page_folder(page_folder: Path) -> Iterator[None]:
    """What a page saves lands where nobody looks, and is there for its next block."""
    before = Path.cwd()
    os.chdir(page_folder)
    yield
    os.chdir(before)


def forget(page: dict[str, Any]) -> None:
    """The models of a page take gigabytes."""
    page.clear()


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser()],
    patterns=["README.md", "docs/*.md", "docs/*/*.md"],
    # A page that needs a hub is run with one by tests/unit/interchange/test_share_page.py; pages on examples are run
    # by tests/unit/examples, and the page on the server by tests/unit/serving/test_server.py.
    excludes=[
        "tests/golden/v*/*/README.md",
        "docs/how-to/share.md",
        "docs/how-to/server.md",
        "docs/how-to/add-a-method.md",
        "docs/how-to/add-a-task-type.md",
        "docs/how-to/add-an-objective.md",
    ],
    fixtures=["in_page_folder"],
    teardown=forget,
).pytest()
