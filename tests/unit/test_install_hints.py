"""Every message that tells of an extra says how to get it, by the one command that there is for it."""

import ast
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.exceptions import UnsupportedAlgorithm

import adaptkit
from adaptkit.backbones import bitsandbytes_package, embedded, load_backbone
from adaptkit.data.neighbours import Neighbourhood
from adaptkit.errors import AdaptkitError, BackboneUnavailable, ConfigError
from adaptkit.verification import sign
from adaptkit.version import __version__
from tests.gguf_files import written_gguf
from tests.tiny import tiny_model
from tests.zoos import made_zoo

ROOT = Path(__file__).parents[2]
Action = Callable[[pytest.MonkeyPatch, Path], object]


def test_commands_for_pip_are_made_in_one_place() -> None:
    """No string of the package holds one but `install_command`, and the one for a package of the extra alone."""
    holders = set()
    for path in sorted((ROOT / "adaptkit").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        if any(isinstance(value, str) and "pip install" in value for value in strings):
            holders.add(path.relative_to(ROOT).as_posix())
    assert holders == {"adaptkit/version.py", "adaptkit/backbones/package_file.py"}


def _absent(patch: pytest.MonkeyPatch, *modules: str) -> None:
    nothing: Any = None
    for module in modules:
        patch.setitem(sys.modules, module, nothing)


def _embedded_missing(patch: pytest.MonkeyPatch, folder: Path) -> None:
    patch.setattr(embedded, "_WEIGHTS", replace(embedded._WEIGHTS, distribution="no-such-package"))
    embedded.export(folder / "out")


def _nothing_there(patch: pytest.MonkeyPatch, folder: Path) -> None:  # noqa: ARG001
    load_backbone(folder / "absent")


def _quantized(patch: pytest.MonkeyPatch, folder: Path) -> None:  # noqa: ARG001
    _absent(patch, "bitsandbytes")
    bitsandbytes_package._imported()  # past what an earlier call has kept


def _gguf(patch: pytest.MonkeyPatch, folder: Path) -> None:
    path = written_gguf(folder / "tiny.gguf")
    _absent(patch, "gguf")
    load_backbone(path)


def _onnx(patch: pytest.MonkeyPatch, folder: Path) -> None:
    _absent(patch, "onnxscript")
    adaptkit.export_onnx(tiny_model(), None, folder / "out")


def _sentence_transformers(patch: pytest.MonkeyPatch, folder: Path) -> None:  # noqa: ARG001
    _absent(patch, "sentence_transformers")
    patch.delitem(sys.modules, "adaptkit.interchange.stack_module", raising=False)
    adaptkit.as_sentence_transformer(tiny_model())


def _search(patch: pytest.MonkeyPatch, folder: Path) -> None:  # noqa: ARG001
    _absent(patch, "faiss")
    Neighbourhood(np.ones((1, 1), np.float32), approximate=True)


def _signing(patch: pytest.MonkeyPatch, folder: Path) -> None:
    _absent(patch, "cryptography.hazmat.primitives.asymmetric.ed25519")
    zoo = made_zoo(folder / "zoo", tiny_model())
    (folder / "key").write_text("key")
    sign(zoo / "tiny-bert/language/sw", folder / "key")


def _passphrase(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """As cryptography answers without bcrypt, which only its extra `ssh` brings."""

    def load(_: bytes, password: bytes | None) -> object:
        raise TypeError("encrypted") if password is None else UnsupportedAlgorithm("Need bcrypt module")

    patch.setattr("cryptography.hazmat.primitives.serialization.load_ssh_private_key", load)
    zoo = made_zoo(folder / "zoo", tiny_model())
    (folder / "key").write_text("key")
    sign(zoo / "tiny-bert/language/sw", folder / "key", passphrase=lambda: "secret")


@pytest.mark.parametrize(
    ("extra", "error", "action"),
    [
        ("embedded", BackboneUnavailable, _embedded_missing),
        ("embedded", BackboneUnavailable, _nothing_there),
        ("quantized", ConfigError, _quantized),
        ("gguf", BackboneUnavailable, _gguf),
        ("onnx", ConfigError, _onnx),
        ("sentence-transformers", ConfigError, _sentence_transformers),
        ("search", ConfigError, _search),
        ("signing", ConfigError, _signing),
        ("signing", ConfigError, _passphrase),
    ],
)
def test_what_lacks_an_extra_says_how_to_get_it(
    extra: str, error: type[AdaptkitError], action: Action, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(error) as raised:
        action(monkeypatch, tmp_path)
    assert f"pip install 'adaptkit-nlp[{extra}]'" in str(raised.value)


def test_a_checkout_runs_without_an_installation(tmp_path: Path) -> None:
    """With a finder that hides whatever metadata of the package is installed."""
    started = (
        "import importlib.metadata as metadata, runpy, sys\n"
        "found = metadata.distribution\n"
        "def distribution(name):\n"
        "    if name.lower().startswith('adaptkit'): raise metadata.PackageNotFoundError(name)\n"
        "    return found(name)\n"
        "metadata.distribution = distribution\n"
        "sys.argv = ['adaptkit', sys.argv[1]]\n"
        "runpy.run_module('adaptkit', run_name='__main__')\n"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", started, "--version"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    assert (done.returncode, done.stdout.strip()) == (0, __version__), done.stderr
