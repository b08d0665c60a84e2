"""Adapter folders made into other folders, with an eye for what stands in them."""

import hashlib
import json
import struct
from collections.abc import Callable, Sequence
from random import Random

from adaptkit.format.spec import CONFIG_FILE, RECORD_FILE, WEIGHTS_FILE
from fuzz.json_mutation import changed_json
from fuzz.mutation import changed_bytes
from fuzz.parcel import Parcel, pack, unpack

_NUMBERS = (b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\0\0\x80\xff", b"\xff\xff\x7f\x7f", b"\1\0\0\0", b"\x80\x7f\x80\x7f")
_PLACES = (b"/etc/passwd", b"../..", b"nowhere", CONFIG_FILE.encode(), b"/proc/self/environ", b"/dev/zero")
_OTHER_NAMES = ("adapter_model.bin", "pytorch_model.bin", "config.json", "x\x1b[31m", "setup.py", "\udcff", "README.md")


def changed_folder(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    """Another folder, made by one to four changes; mostly with the hash that its weights have then."""
    parcel = unpack(data)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        _change(parcel, random, others)
    if random.random() < 0.7:
        _hash_anew(parcel)
    return pack(parcel)


def _change(parcel: Parcel, random: Random, others: Sequence[bytes]) -> None:
    json_files = [name for name in (RECORD_FILE, CONFIG_FILE) if name in parcel]
    match random.randrange(12):
        case 0 | 1 | 2 | 3 | 4 if json_files:
            _rewrite(parcel, random.choice(json_files), lambda content: changed_json(content, random))
        case 5 | 6 if WEIGHTS_FILE in parcel:
            _rewrite(parcel, WEIGHTS_FILE, lambda content: _changed_header(content, random))
        case 7 if WEIGHTS_FILE in parcel:
            _rewrite(parcel, WEIGHTS_FILE, lambda content: _changed_numbers(content, random))
        case 8 if parcel:
            _rewrite(parcel, random.choice(list(parcel)), lambda content: changed_bytes(content, random))
        case 9:
            other = unpack(random.choice(others))
            name = random.choice(list(other))
            parcel[name] = other[name]
        case 10 if parcel:
            name = random.choice(list(parcel))
            parcel[name] = (random.choice((b"l", b"l", b"p", b"d")), random.choice(_PLACES))
            if random.random() < 0.2:
                del parcel[name]
        case _:
            parcel[random.choice(_OTHER_NAMES)] = (b"f", random.randbytes(20))


def _rewrite(parcel: Parcel, name: str, change: Callable[[bytes], bytes]) -> None:
    kind, content = parcel[name]
    parcel[name] = (kind, change(content))


def _changed_header(content: bytes, random: Random) -> bytes:
    end = 8 + int.from_bytes(content[:8], "little")
    header = content[8:end]
    header = changed_json(header, random) if random.random() < 0.8 else changed_bytes(header, random)
    size = random.choice((len(header),) * 8 + (len(header) + 1, 0, 2**63, 2**64 - 1, 8 * 2**20 + 1))
    return struct.pack("<Q", size) + header + content[end:]


def _changed_numbers(content: bytes, random: Random) -> bytes:
    start = 8 + int.from_bytes(content[:8], "little")
    if start + 4 >= len(content):
        return content
    at = start + 4 * random.randrange((len(content) - start) // 4)
    number = random.choice(_NUMBERS)
    return content[:at] + number + content[at + len(number) :]


def _hash_anew(parcel: Parcel) -> None:
    if RECORD_FILE not in parcel or WEIGHTS_FILE not in parcel:
        return
    kind, content = parcel[RECORD_FILE]
    try:
        record = json.loads(content)
        record["weights_sha256"] = hashlib.sha256(parcel[WEIGHTS_FILE][1]).hexdigest()
        parcel[RECORD_FILE] = (kind, json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    except (ValueError, TypeError, RecursionError, IndexError):
        return
