"""Results of an evaluation from a stranger, and the report that is made of them."""

from collections.abc import Callable
from html.parser import HTMLParser
from random import Random

from adaptkit.evaluation.report.html import render_html
from adaptkit.evaluation.report.markdown import render_markdown
from adaptkit.evaluation.report.results_file import load_results, results_json
from adaptkit.terminal.plain_text import printable
from fuzz.json_mutation import changed_json
from fuzz.mutation import changed_bytes
from fuzz.soundness import require
from fuzz.target import Target
from fuzz.watch import SCRATCH
from tests.unit.evaluation.invented import invented_results

_FILE = SCRATCH / "results.json"
_OURS = {
    *("html", "head", "meta", "title", "style", "body", "main", "header", "section", "figure", "h1", "h2", "p", "div"),
    *("ul", "li", "b", "span", "small", "dl", "dt", "dd", "table", "thead", "tbody", "tfoot", "tr", "th", "td"),
    *("svg", "g", "rect", "text", "tspan", "line", "polyline", "desc", "circle", "path", "polygon"),
}


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.handlers: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.handlers |= {name for name, _ in attrs if name.startswith("on") or name in {"href", "src", "action"}}


def _changed(data: bytes, random: Random) -> bytes:
    return changed_json(data, random) if random.random() < 0.9 else changed_bytes(data, random)


def _write(data: bytes) -> None:
    _FILE.write_bytes(data)


def _read(_data: bytes) -> Callable[[], None]:
    results = load_results(_FILE)
    page, text = render_html(results), render_markdown(results)
    return lambda: _check(page, text)


def _check(page: str, text: str) -> None:
    tags = _Tags()
    tags.feed(page)
    require(tags.found <= _OURS, f"the page has the tags {tags.found - _OURS}")
    require(not tags.handlers, f"the page has the attributes {tags.handlers}")
    require(printable(page) == page, "the page holds controls")
    require(printable(text) == text, "the Markdown holds controls")


RESULTS_FILE = Target(
    seeds=lambda: [results_json(invented_results())],
    mutate=_changed,
    prepare=_write,
    read=_read,
)
