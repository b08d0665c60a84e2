"""Translation memories (TMX 1.4b, https://www.gala-global.org/tmx-14b): one unit after the other, and nothing fetched.

XML from strangers is read with bounds: no entity is declared or looked up outside of the file, whatever its DOCTYPE
says, and no unit, no piece of markup and no nesting may fill the memory.
"""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat

from adaptkit.data.columns import Row
from adaptkit.data.packed import BrokenPacked, open_bytes, read_some
from adaptkit.data.translations import field_of
from adaptkit.errors import MalformedText, UnknownLanguage
from adaptkit.languages import canonical_tag
from adaptkit.terminal.asking import as_typed

MAX_UNIT_CHARACTERS = 2**20
"""A unit (a sentence in all its languages) with more is refused."""
MAX_MARKUP_BYTES = 2**20
"""So much without the end of a tag is refused: the parser keeps it all until that end."""
MAX_DEPTH = 64

_READ_BYTES = 2**16
_CODE = frozenset({"bpt", "ept", "it", "ph", "ut"})
"""Elements in a sentence that hold another program's marks and no text; `hi` and unknown ones hold text."""
_SPACES = re.compile(r"[ \t\r\n]+")


def tmx_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Yield `(line, {language: sentence})` of every unit; of two sentences in one language, the first.

    Languages are canonical tags where they are known as languages, else as they stand.

    Raises:
        MalformedText: no TMX, or one that declares entities or exceeds a bound.
    """
    units = _Units(path)
    try:
        with open_bytes(path) as stream:
            yield from units.read(stream)
    except BrokenPacked as error:
        raise units.malformed(f"a broken packed file ({error})", "a complete one") from error
    except expat.ExpatError as error:
        line, said = error.lineno, expat.ErrorString(error.code)
        raise MalformedText(path, line, f"broken XML ({said})", "a translation memory (TMX)") from error
    except (LookupError, ValueError) as error:  # of an encoding that the first line names
        raise MalformedText(path, 1, f"an encoding that is not known ({error})", "UTF-8") from error


def tmx_sentences(path: Path, language: str | None) -> Iterator[str]:
    """Yield the sentences in one language; None is the only one that a file has.

    Raises:
        MalformedText: as `tmx_rows`, or no unit has the language, or some have several and none is named.
    """
    found: dict[str, None] = {}
    wanted, n_given = language and canonical_tag(language), 0
    for number, unit in tmx_rows(path):
        found.update(dict.fromkeys(unit))
        if language is None and len(found) > 1:
            expected = f"one language, or one that is named: {as_typed(column=...)}"
            raise MalformedText(path, number, f"the languages {', '.join(found)}", expected)
        field = field_of(wanted, tuple(unit)) if wanted else next(iter(unit), None)
        if field is not None:
            n_given += 1
            yield str(unit[field])
    if found and not n_given:
        raise MalformedText(path, 1, f"the languages {', '.join(found)}", f"units in {wanted}")


class _Units:
    """What the parser has told so far of one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: list[str] = []
        self._found: list[tuple[int, Row]] = []
        self._unit: dict[str, object] = {}
        self._line = 1
        self._language: str | None = None
        self._text: list[str] = []
        self._in_code = 0
        self._size = 0
        self._parser = self._new_parser()

    def read(self, stream: BinaryIO) -> Iterator[tuple[int, Row]]:
        n_read = 0
        while content := read_some(self._path, partial(stream.read, _READ_BYTES)):
            n_read += len(content)
            self._parser.Parse(content, False)
            if n_read - max(self._parser.CurrentByteIndex, 0) > MAX_MARKUP_BYTES:
                raise self.malformed(f"more than {MAX_MARKUP_BYTES:,} bytes without the end of a tag", "a TMX file")
            yield from self._taken()
        self._parser.Parse(b"", True)
        yield from self._taken()

    def malformed(self, found: str, expected: str) -> MalformedText:
        return MalformedText(self._path, self._parser.CurrentLineNumber, found, expected)

    def _new_parser(self) -> expat.XMLParserType:
        parser = expat.ParserCreate()
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.buffer_text = True
        parser.EntityDeclHandler = self._refuse_entity
        parser.SkippedEntityHandler = self._refuse_unknown
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        return parser

    def _taken(self) -> list[tuple[int, Row]]:
        found, self._found = self._found, []
        return found

    def _refuse_entity(self, name: str, *_: object) -> None:
        raise self.malformed(f"the declaration of an entity ({name[:40]!r})", "a file that declares none")

    def _refuse_unknown(self, name: str, *_: object) -> None:
        raise self.malformed(f"an entity that is not known ({name[:40]!r})", "characters, or &lt; &gt; &amp; &quot;")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._open and name != "tmx":
            raise self.malformed(f"XML that begins with <{name[:40]}>", "a translation memory, which begins with <tmx>")
        if len(self._open) == MAX_DEPTH:
            raise self.malformed(f"more than {MAX_DEPTH} elements one in the other", "a TMX file")
        self._open.append(name)
        if name == "tu":
            self._unit, self._line, self._size = {}, self._parser.CurrentLineNumber, 0
        elif name == "tuv":
            self._language = _language_of(attributes)
            if self._language is None:
                raise self.malformed("a <tuv> that does not say its language", 'one with xml:lang="..."')
            self._grow(1 + len(self._language))
        elif name == "seg":
            self._text = []
        self._in_code += name in _CODE

    def _characters(self, text: str) -> None:
        if self._in_code or "seg" not in self._open:
            return
        self._grow(len(text))
        self._text.append(text)

    def _grow(self, by: int) -> None:
        self._size += by
        if self._size > MAX_UNIT_CHARACTERS:
            raise self.malformed(f"more than {MAX_UNIT_CHARACTERS:,} characters in one unit", "sentences")

    def _end(self, name: str) -> None:
        self._open.pop()
        self._in_code -= name in _CODE
        if name == "seg" and self._language is not None:
            self._unit.setdefault(self._language, _SPACES.sub(" ", "".join(self._text)).strip())
        elif name == "tuv":
            self._language = None
        elif name == "tu":
            self._found.append((self._line, self._unit))


def _language_of(attributes: dict[str, str]) -> str | None:
    """The attribute of TMX 1.4, or that of older versions."""
    name = attributes.get("xml:lang") or attributes.get("lang")
    try:
        return name and canonical_tag(name)
    except UnknownLanguage:
        return name
