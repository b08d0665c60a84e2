"""Signatures: made with a key of OpenSSH's, and refused wherever anything differs."""

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from adaptkit.errors import AdapterFileError, ConfigError, IndexMismatch, SignatureMismatch
from adaptkit.format.folder import Folder
from adaptkit.storage import Zoo
from adaptkit.verification import require_signature, sign
from adaptkit.verification.signature import hashes
from tests.tiny import tiny_model
from tests.zoos import made_zoo, zipped

PEM, SSH = serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH


def key_pair(folder: Path, name: str, *, passphrase: bytes | None = None) -> tuple[Path, Path]:
    key = ed25519.Ed25519PrivateKey.generate()
    hidden = serialization.NoEncryption() if passphrase is None else serialization.BestAvailableEncryption(passphrase)
    private, public = folder / name, folder / f"{name}.pub"
    private.write_bytes(key.private_bytes(PEM, SSH, hidden))
    public.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    )
    return private, public


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    Zoo(made_zoo(tmp_path / "zoo", tiny_model())).write_index()
    return tmp_path / "zoo"


@pytest.fixture
def adapter(zoo: Path) -> Path:
    return zoo / "tiny-bert/language/sw"


def test_who_signed_is_told(adapter: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path, "mine")
    sign(adapter, private)
    assert require_signature(Folder(adapter), public).startswith("SHA256:")
    Zoo(adapter.parents[2]).write_index()
    assert "adaptkit.sig" in (adapter.parents[2] / "index.json").read_text()


def test_a_zoo_is_signed_by_its_index_and_so_whole(zoo: Path, adapter: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path, "mine")
    sign(zoo, private)
    Zoo(zoo).check()
    require_signature(Zoo(zoo).top, public)
    packed = Zoo(zipped(zoo, tmp_path / "zoo.zip"))
    packed.check()
    require_signature(packed.top, public)
    (adapter / "README.md").write_text("another card")
    with pytest.raises(IndexMismatch):
        sign(zoo, private)
    Zoo(zoo).write_index()
    with pytest.raises(SignatureMismatch, match="was changed since"):
        require_signature(Zoo(zoo).top, public)


def test_another_key_or_none_is_refused(adapter: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path, "mine")
    _, other = key_pair(tmp_path, "other")
    with pytest.raises(SignatureMismatch, match="nobody has signed"):
        require_signature(Folder(adapter), public)
    sign(adapter, private)
    with pytest.raises(SignatureMismatch, match="was made with the key SHA256:"):
        require_signature(Folder(adapter), other)


@pytest.mark.parametrize("name", ["README.md", "adaptkit.json", "adapter_config.json", "adapter_model.safetensors"])
def test_a_changed_file_is_refused(adapter: Path, tmp_path: Path, name: str) -> None:
    private, public = key_pair(tmp_path, "mine")
    sign(adapter, private)
    content = bytearray((adapter / name).read_bytes())
    content[len(content) // 2] ^= 1
    (adapter / name).write_bytes(content)
    with pytest.raises(SignatureMismatch, match="was changed since"):
        require_signature(Folder(adapter), public)


def test_no_changed_signature_is_taken(adapter: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path, "mine")
    path = sign(adapter, private)
    content = path.read_bytes()
    taken = 0
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        try:
            require_signature(Folder(adapter), public)
        except AdapterFileError:
            continue
        taken += 1
    assert taken == 0


def test_an_encrypted_key_asks_for_its_passphrase(adapter: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path, "mine", passphrase=b"goats")
    sign(adapter, private, passphrase=lambda: "goats")
    require_signature(Folder(adapter), public)
    with pytest.raises(ConfigError, match="passphrase is another one"):
        sign(adapter, private, passphrase=lambda: "rain")


def test_other_keys_are_refused(adapter: Path, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "ec").write_bytes(key.private_bytes(PEM, SSH, serialization.NoEncryption()))
    (tmp_path / "text").write_text("no key")
    private, public = key_pair(tmp_path, "mine")
    for path in (tmp_path / "ec", tmp_path / "text", tmp_path / "none", public):
        with pytest.raises(ConfigError):
            sign(adapter, path)
    for path in (tmp_path / "text", tmp_path / "none", private):
        with pytest.raises(ConfigError):
            require_signature(Folder(adapter), path)
    assert not (adapter / "adaptkit.sig").exists()


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
def test_openssh_agrees(adapter: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path, "mine")
    signature = sign(adapter, private)
    (tmp_path / "allowed").write_text(f"me@example.org {public.read_text()}\n")
    command = ["ssh-keygen", "-Y", "verify", "-f", str(tmp_path / "allowed"), "-I", "me@example.org", "-n", "adaptkit"]

    def checked(message: bytes) -> int:
        result = subprocess.run([*command, "-s", str(signature)], input=message, capture_output=True, check=False)  # noqa: S603
        return result.returncode

    assert checked(hashes(Folder(adapter))) == 0
    assert checked(hashes(Folder(adapter)) + b" ") != 0
    (tmp_path / "hashes").write_bytes(hashes(Folder(adapter)))
    private.chmod(0o600)
    theirs = ["ssh-keygen", "-Y", "sign", "-f", str(private), "-n", "adaptkit", str(tmp_path / "hashes")]
    subprocess.run(theirs, capture_output=True, check=True)  # noqa: S603
    signature.write_bytes((tmp_path / "hashes.sig").read_bytes())
    require_signature(Folder(adapter), public)
