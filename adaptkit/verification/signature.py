"""Signatures: who stands for an adapter or a zoo. Hashes and probes prove integrity; only a known key proves a person.

The signature is an ordinary SSH signature (OpenSSH's PROTOCOL.sshsig) with an Ed25519 key over the files' hashes as
`sha256sum` prints them, so that it can be checked without adaptkit (docs/how-to/share.md).
"""

import base64
import binascii
import hashlib
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from adaptkit.errors import ConfigError, SignatureMismatch
from adaptkit.format import spec
from adaptkit.format.folder import Files, Folder, whole_file
from adaptkit.format.hashes import hashed
from adaptkit.storage import Zoo
from adaptkit.version import install_command

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

NAMESPACE = "adaptkit"
_MAGIC = b"SSHSIG"
_VERSION = 1
_HASH = "sha512"
_KEY_TYPE = b"ssh-ed25519"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_LINE = 70
_MAX_KEY_BYTES = 2**16


def sign(place: str | PathLike[str], key: str | PathLike[str], *, passphrase: Callable[[], str] | None = None) -> Path:
    """Sign an adapter's folder, or a zoo's index, with an Ed25519 key of OpenSSH's; gives the signature's file.

    `passphrase` is asked where the key is encrypted.

    Raises:
        ConfigError: The key cannot be read, or is of another kind; or nothing is there to sign.
        AdapterFileError: What is to be signed is not as its index says, or is not an adapter.
    """
    folder, signer = Path(place), _private_key(Path(key), passphrase)
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder. Sign a folder, then pack it.")
    if not (folder / spec.RECORD_FILE).exists():
        Zoo(folder).check()
    signature = armoured(signer, hashes(Folder(folder)))
    path = folder / spec.SIGNATURE_FILE
    with whole_file(path) as partial:
        partial.write_text(signature, encoding="ascii")
    return path


def require_signature(files: Files, public_key: str | PathLike[str]) -> str:
    """Let an adapter's folder or a zoo's top folder be signed by this key; gives its SHA-256 as OpenSSH writes it.

    Raises:
        ConfigError: The key cannot be read, or is of another kind.
        SignatureMismatch: There is no signature, it is another key's, or what it was made for has changed.
    """
    key = _public_key(Path(public_key))
    path = files.path / spec.SIGNATURE_FILE
    if spec.SIGNATURE_FILE not in files.names():
        raise SignatureMismatch(path, "is not there: nobody has signed this. Ask whoever made it.")
    content = files.read(spec.SIGNATURE_FILE, max_bytes=spec.MAX_SIGNATURE_BYTES)
    try:
        found = _Signature.parse(content.decode("ascii"))
    except (ValueError, struct.error) as error:
        raise SignatureMismatch(path, f"is no SSH signature: {error}.") from error
    if found.public_key != _wire(key):
        raise SignatureMismatch(
            path, f"was made with the key {_name(found.public_key)}, not with {_name(_wire(key))}. Whose is it?"
        )
    found.require(key, hashes(files), path)
    return _name(found.public_key)


def hashes(files: Files) -> bytes:
    """What is signed: the hash of each file and its name, as `sha256sum` prints them."""
    names = files.names()
    if spec.RECORD_FILE in names:
        found = {name: entry.sha256 for name, entry in hashed(files).items() if name != spec.SIGNATURE_FILE}
    else:
        content = files.read(spec.INDEX_FILE, max_bytes=spec.MAX_INDEX_BYTES)
        found = {spec.INDEX_FILE: hashlib.sha256(content).hexdigest()}
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(found.items())).encode()


def armoured(key: "Ed25519PrivateKey", message: bytes) -> str:
    """The SSH signature of a message, as text."""
    signature = _strings(_KEY_TYPE, key.sign(_to_be_signed(message)))
    parts = _strings(_wire(key.public_key()), NAMESPACE.encode(), b"", _HASH.encode(), signature)
    return _written(_MAGIC + struct.pack(">I", _VERSION) + parts)


def _written(blob: bytes) -> str:
    text = base64.b64encode(blob).decode()
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    return "\n".join([_BEGIN, *lines, _END, ""])


@dataclass(frozen=True)
class _Signature:
    public_key: bytes
    namespace: bytes
    algorithm: bytes
    signature: bytes

    @classmethod
    def parse(cls, text: str) -> "_Signature":
        try:
            blob = base64.b64decode("".join(text.split("\n")[1:-2]), validate=True)
        except binascii.Error as error:
            raise ValueError("its text is no base64") from error
        if text != _written(blob):
            raise ValueError("it is not written as one")
        if not blob.startswith(_MAGIC + struct.pack(">I", _VERSION)):
            raise ValueError("it is of another version")
        parts = list(_parts(blob[len(_MAGIC) + 4 :]))
        if len(parts) != 5:
            raise ValueError(f"it has {len(parts)} parts, not 5")
        public_key, namespace, _, algorithm, signature = parts
        kinds = list(_parts(signature))
        if len(kinds) != 2 or kinds[0] != _KEY_TYPE:
            raise ValueError("it was not made with an Ed25519 key")
        return cls(public_key, namespace, algorithm, kinds[1])

    def require(self, key: "Ed25519PublicKey", message: bytes, path: Path) -> None:
        from cryptography.exceptions import InvalidSignature

        if self.namespace != NAMESPACE.encode() or self.algorithm != _HASH.encode():
            raise SignatureMismatch(path, "was made for something else than adapters.")
        try:
            key.verify(self.signature, _to_be_signed(message))
        except InvalidSignature as error:
            raise SignatureMismatch(
                path, "is not for these files: one of them was changed since. Fetch them again, whole."
            ) from error


def _to_be_signed(message: bytes) -> bytes:
    digest = hashlib.sha512(message).digest()
    return _MAGIC + b"".join(map(_string, (NAMESPACE.encode(), b"", _HASH.encode(), digest)))


def _private_key(path: Path, passphrase: Callable[[], str] | None) -> "Ed25519PrivateKey":
    with _needing_cryptography():
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_ssh_private_key
    content = _key_bytes(path)
    password = None
    try:
        try:
            key = load_ssh_private_key(content, None)
        except TypeError:  # it is encrypted
            password = (passphrase() if passphrase is not None else "").encode()
            key = load_ssh_private_key(content, password)
    except UnsupportedAlgorithm as error:  # such as a passphrase, where cryptography came without bcrypt
        raise ConfigError(f"{path} cannot be used here: {error}. Run: {install_command('signing')}") from error
    except Exception as error:
        wrong = "its passphrase is another one" if password is not None else "it is not a private key of OpenSSH"
        raise ConfigError(f"{path} cannot be used: {wrong}. Make one with: ssh-keygen -t ed25519") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{path} is a key of another kind. Make one with: ssh-keygen -t ed25519")
    return key


def _public_key(path: Path) -> "Ed25519PublicKey":
    with _needing_cryptography():
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_ssh_public_key
    content = _key_bytes(path)
    try:
        key = load_ssh_public_key(content)
    except Exception as error:
        raise ConfigError(
            f"{path} is not a public key of OpenSSH (a line that begins ssh-ed25519, as in id_ed25519.pub)."
        ) from error
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError(f"{path} is a key of another kind than ssh-ed25519.")
    return key


@contextmanager
def _needing_cryptography() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise ConfigError(
            f"signatures need the package cryptography: {error}. Run: {install_command('signing')}"
        ) from error


def _key_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_KEY_BYTES)
    except OSError as error:
        raise ConfigError(f"the key {path} cannot be read: {error.strerror}.") from error


def _wire(key: "Ed25519PublicKey") -> bytes:
    return _strings(_KEY_TYPE, key.public_bytes_raw())


def _name(public_key: bytes) -> str:
    return "SHA256:" + base64.b64encode(hashlib.sha256(public_key).digest()).decode().rstrip("=")


def _string(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def _strings(*contents: bytes) -> bytes:
    return b"".join(map(_string, contents))


def _parts(content: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(content):
        (size,) = struct.unpack_from(">I", content, at)
        at += 4 + size
        if at > len(content):
            raise ValueError("it is cut off")
        yield content[at - size : at]
