from pathlib import Path

import pytest

from adaptkit.training import CheckpointFolder


@pytest.fixture
def checkpoint(tmp_path: Path) -> CheckpointFolder:
    return CheckpointFolder(tmp_path / "sw.checkpoint", {"seed": "0"})
