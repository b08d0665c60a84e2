from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from adaptkit.cli import main
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import load_model
from tests.adapters import random_adapter
from tests.tiny import tiny_backbone


@dataclass(frozen=True)
class Outcome:
    """What a command left: exit status and what it wrote."""

    status: int
    out: str
    err: str


Command = Callable[..., Outcome]


@pytest.fixture
def adaptkit(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command line, in this process."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr("sys.argv", ["adaptkit", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        capsys.readouterr()  # what fixtures wrote
        with pytest.raises(SystemExit) as exit_:
            main()
        code = exit_.value.code
        return Outcome(code if isinstance(code, int) else 0, *capsys.readouterr())

    return run


def _saved(folder: Path, seed: int) -> Path:
    backbone = tiny_backbone(seed=seed)
    backbone.network.save_pretrained(folder)
    backbone.tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def backbone_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny backbone as an ordinary transformers folder."""
    return _saved(tmp_path_factory.mktemp("backbones") / "tiny-bert", seed=0)


@pytest.fixture(scope="session")
def other_backbone_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same backbone with other weights."""
    return _saved(tmp_path_factory.mktemp("backbones") / "tiny-bert", seed=1)


@pytest.fixture(scope="session")
def zoo_folder(tmp_path_factory: pytest.TempPathFactory, backbone_folder: Path) -> Path:
    """Adapters of random weights for that backbone: language/sw, language/yo, domain/yo."""
    folder, model = tmp_path_factory.mktemp("zoo"), load_model(backbone_folder)
    config = AdapterConfig(method=LoraConfig(rank=2, alpha=60.0))
    random_adapter(model, config, name="sw").save(folder / "sw")
    random_adapter(model, config, name="yo", seed=2).save(folder / "yo")
    random_adapter(model, config, kind="domain", name="yo", seed=3).save(folder / "yo-domain")
    return folder
