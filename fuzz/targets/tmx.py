"""Translation memories of strangers."""

from collections.abc import Callable
from random import Random

from adaptkit.data.parallel import open_parallel
from fuzz.mutation import changed_bytes
from fuzz.soundness import require
from fuzz.target import Target
from fuzz.watch import SCRATCH

_FILE = SCRATCH / "memory.tmx"
_SEED = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4"><header srclang="en"/><body>
<tu tuid="1"><prop type="x">y</prop><tuv xml:lang="en-US"><seg>Two <hi>red</hi> eggs.</seg></tuv>
<tuv xml:lang="ha"><seg>Ƙwai <bpt i="1">&lt;b&gt;</bpt>biyu<ept i="1"/>.</seg></tuv></tu>
<tu><tuv lang="en-US"><seg><![CDATA[A goat & a hen.]]></seg></tuv>
<tuv lang="ha"><seg>Akuya &#39;da&apos; kaza.</seg></tuv></tu>
</body></tmx>
"""
_PIECES = (
    *(
        b'<!ENTITY a "b">',
        b'<!DOCTYPE tmx [<!ENTITY % a SYSTEM "/etc/passwd"> %a;]>',
        b"&a;",
        b"&#0;",
        b"&#xD800;",
        b"]]>",
    ),
    *(
        b'encoding="UTF-16"',
        b'encoding="utf-7"',
        b"<seg>",
        b"</seg>",
        b"<tu>",
        b"</tu>",
        b"<ph>",
        b"<x>" * 100,
        b"<?x?>",
    ),
)


def _changed(data: bytes, random: Random) -> bytes:
    if random.random() < 0.5:
        return changed_bytes(data, random)
    place = random.randrange(len(data) + 1)
    return data[:place] + random.choice(_PIECES) + data[place:]


def _read(_: bytes) -> Callable[[], None]:
    pairs = list(open_parallel(_FILE, target="ha").pairs())
    return lambda: require(all(map(all, pairs)), "a pair with an empty side")


def _write(data: bytes) -> None:
    _FILE.write_bytes(data)


TMX = Target(seeds=lambda: [_SEED.encode()], mutate=_changed, prepare=_write, read=_read)
