"""The API reference: a page for each part of the package that has public names, from `adaptkit/__init__.pyi`."""

import ast
import re
from collections import defaultdict
from collections.abc import Mapping

import griffe

from tools.site.places import ROOT

STUB = ROOT / "adaptkit" / "__init__.pyi"
FOLDER = "reference"
_OF_PYTHON = frozenset({"Exception", "Protocol", "StrEnum", "Mapping", "Sequence", "NamedTuple"})


def public_names() -> Mapping[str, list[str]]:
    """The public names by the part of the package that they come from, as the stub has them."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in ast.parse(STUB.read_text(encoding="utf-8")).body:
        if isinstance(line, ast.ImportFrom) and line.module is not None:
            found[line.module.partition(".")[0]] += [name.asname or name.name for name in line.names]
    return dict(sorted(found.items()))


def reference_pages() -> dict[str, str]:
    """All pages, by their places in the site."""
    package = griffe.load("adaptkit", search_paths=[ROOT], resolve_aliases=True)
    parts = public_names()
    pages = {f"{FOLDER}/{part}.md": _page(package, part, names) for part, names in parts.items()}
    return {f"{FOLDER}/index.md": _overview(package, parts)} | pages


def reference_titles() -> dict[str, str]:
    """The places of the pages, by the titles of the navigation."""
    return {"Public names": f"{FOLDER}/index.md"} | {
        f"adaptkit.{part}": f"{FOLDER}/{part}.md" for part in public_names()
    }


def _overview(package: griffe.Object | griffe.Alias, parts: Mapping[str, list[str]]) -> str:
    rows = [
        f"| [`{name}`]({part}.md#adaptkit.{name}) | {_sentence(package[name])} |"
        for part, names in parts.items()
        for name in names
    ]
    return "\n".join(
        [
            "# Public names",
            "",
            "What `import adaptkit` gives. A name that is not here may change without notice.",
            "",
            "| name | is |",
            "|---|---|",
            *sorted(rows, key=str.lower),
            "",
        ]
    )


def _page(package: griffe.Object | griffe.Alias, part: str, names: list[str]) -> str:
    directives = [_directive(package[name], name) for name in names]
    return "\n".join([f"# adaptkit.{part}", "", _paragraph(package[part]), "", *directives])


def _directive(found: griffe.Object | griffe.Alias, name: str) -> str:
    """What stands for a name; a class that is made of parts nobody imports does not name these parts."""
    public = {each for names in public_names().values() for each in names} | _OF_PYTHON
    bases = [str(base).rpartition(".")[2].partition("[")[0] for base in getattr(found, "bases", [])]
    hidden = "" if public.issuperset(bases) else "    options:\n      show_bases: false\n"
    return f"::: adaptkit.{name}\n{hidden}"


def _paragraph(found: griffe.Object | griffe.Alias) -> str:
    return "" if found.docstring is None else found.docstring.value.partition("\n\n")[0]


def _sentence(found: griffe.Object | griffe.Alias) -> str:
    first = " ".join(_paragraph(found).split())
    return re.split(r"(?<!al)\. ", first + " ")[0].strip().replace("|", "\\|")
