"""Bytes made into other bytes."""

from random import Random

MAX_BYTES = 200_000
_PIECES = (
    *(
        b"\0",
        b"\xff",
        b"\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x80\x04",
        b"PK\x03\x04",
        b"\xef\xbb\xbf",
        b"\r\n",
        b"\x1b[31m",
    ),
    *(
        b'"',
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b",",
        b"null",
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"-0.0",
        b"9" * 400,
        b"\\ud800",
    ),
    *(b"[" * 2000, b"(" * 2000, b"average(", b"fuse(", b" > ", b"/", b"..", b"\t", b"\n", b"---\n", "٣".encode()),
)


def changed_bytes(data: bytes, random: Random) -> bytes:
    """Some bytes flipped, cut out, doubled, moved or put in."""
    content = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        start = random.randrange(len(content) + 1)
        end = min(len(content), start + random.choice((1, 1, 2, 8, 64, 4096)))
        match random.randrange(6):
            case 0 if start < len(content):
                content[start] ^= 1 << random.randrange(8)
            case 1:
                del content[start:end]
            case 2:
                content[start:start] = content[start:end] * random.choice((1, 1, 2, 30))
            case 3:
                content[start:start] = random.choice(_PIECES)
            case 4:
                content[start:end] = random.randbytes(end - start)
            case _:
                other = random.randrange(len(content) + 1)
                content[start:start] = content[other : other + random.randrange(1, 200)]
    return bytes(content[:MAX_BYTES])
