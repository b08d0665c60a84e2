"""What the adapters of `adapters_zoo/` gain: the README's table and its figure, and the zoo's table of all tests.

`python -m tools.shipped` writes all three, from the scores on the adapters' cards; a test says when they are stale.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from adaptkit.format.card import Card, Evaluation
from adaptkit.format.listing import Listing
from adaptkit.languages import language_name
from adaptkit.methods import GLOSSARY
from adaptkit.storage import Zoo
from adaptkit.terminal.amounts import bytes_text, counted

ROOT = Path(__file__).parents[1]
README, FIGURE, ZOO = ROOT / "README.md", ROOT / "docs" / "figures" / "adapters.svg", ROOT / "adapters_zoo"
ZOO_PAGE = ZOO / "README.md"
BEGIN, END = "<!-- made by python -m tools.shipped -->", "<!-- end of what it makes -->"
_TESTS = {
    "topics": ("SIB-200", ""),
    "names, F1": ("MasakhaNER 2", "below"),
    "names, at strength 0.25": ("MasakhaNER 2", "at strength 0.25"),
    "translations found": ("retrieval", ""),
}
"""What the zoo's table shows: the test, and how its conditions end, where that tells two apart."""
_ROW, _TOP, _LEFT, _SCALE = 46, 40, 12, 4.16
_WIDTH = 2 * _LEFT + round(100 * _SCALE)
"""No wider than a phone shows with text that can be read: names stand above their bars."""
_STYLE = """
text { font: 13px system-ui, "Segoe UI", "Noto Sans", sans-serif; fill: #1b1e23; }
.quiet { fill: #5b616b; font-size: 12px; } .gain { font-weight: 600; }
.without { fill: #b9bec7; } .with { fill: #17548f; } .interval { stroke: #d9822b; stroke-width: 2; }
.paper { fill: #fdfcfa; }
"""


@dataclass(frozen=True)
class Shipped:
    """An adapter with the first score on its card."""

    id: str
    name: str
    score: Evaluation
    licence: str
    n_bytes: int
    learned: str

    @property
    def gain(self) -> str:
        """Points with their interval."""
        gain = f"{self.score.score_with - self.score.score_without:+.1f}"
        if self.score.low is None or self.score.high is None:
            return gain
        return f"{gain} ({self.score.low:+.1f} to {self.score.high:+.1f})"


def shipped() -> list[Shipped]:
    """The adapters of the zoo with a score: languages first, by test, the largest gain of each on top."""
    found = [
        Shipped(
            each.id,
            _name(each),
            each.scores[0],
            each.licence,
            each.size_bytes,
            _learned(each.load().card),
        )
        for each in Zoo(ZOO)
        if each.scores
    ]
    return sorted(found, key=_place)


def _place(it: Shipped) -> tuple[bool, bool, float, str]:
    """Gains of one test stand together, as those of different tests cannot be compared; topics come first."""
    score = it.score
    retrieval = "retrieval" in score.task
    return not it.id.startswith("language/"), retrieval, score.score_without - score.score_with, it.id


def table() -> str:
    """The README's table."""
    return "\n".join(
        [
            "| adapter | language or use | test (examples) | without | with | gain (95 % interval) | learned from | "
            "licence of its text | size |",
            "|---|---|---|---|---|---|---|---|---|",
            *(
                f"| `{it.id}` | {it.name} | {it.score.task} ({it.score.n_examples}) | {it.score.score_without:.1f} | "
                f"{it.score.score_with:.1f} | {it.gain} | {it.learned} | {it.licence} | {bytes_text(it.n_bytes)} |"
                for it in shipped()
            ),
        ]
    )


def every_test() -> str:
    """The zoo's table: each language adapter on every test of its card, without and with it."""
    languages = [each for each in Zoo(ZOO) if each.kind == "language" and each.scores]
    return "\n".join(
        [
            f"| adapter | language | {' | '.join(_TESTS)} |",
            f"|---|---|{'---|' * len(_TESTS)}",
            *(
                f"| `{it.id}` | {_name(it)} | {' | '.join(_cell(it.scores, *test) for test in _TESTS.values())} |"
                for it in sorted(languages, key=lambda it: it.id)
            ),
        ]
    )


def _cell(scores: Sequence[Evaluation], test: str, ending: str) -> str:
    """The first score of a test, in bold letters where its interval is above zero, in italics where below."""
    for score in scores:
        if test in score.task and score.conditions.endswith(ending):
            told = f"{score.score_without:.1f} → {score.score_with:.1f}"
            mark = "**" if (score.low or 0.0) > 0 else "*" if (score.high or 0.0) < 0 else ""
            return f"{mark}{told}{mark}"
    return ""


def written(page: str, made: str) -> str:
    """A page with a table as it is now."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{made}\n\n{END}{rest.partition(END)[2]}"


def pages() -> dict[Path, str]:
    """What each page is with its table as it is now."""
    made = {README: table(), ZOO_PAGE: every_test()}
    return {page: written(page.read_text(encoding="utf-8"), each) for page, each in made.items()}


def figure() -> str:
    """Bars of each language adapter's test, without and with it, as an SVG."""
    rows = [it for it in shipped() if it.id.startswith("language/")]
    height = _TOP + _ROW * len(rows) + 30
    label = f"Accuracy without and with the adapter: {', '.join(f'{it.name} {it.gain}' for it in rows)}"
    shapes = [shape for number, it in enumerate(rows) for shape in _bars(it, _TOP + number * _ROW)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" role="img" '
            f'aria-label="{escape(label)}">',
            f"<style>{_STYLE}</style>",
            f'<rect class="paper" width="{_WIDTH}" height="{height}" rx="6"/>',
            *_legend(),
            *shapes,
            *_axis(height),
            "</svg>\n",
        ]
    )


def _bars(it: Shipped, y: float) -> Iterator[str]:
    score = it.score
    test = score.task.partition(",")[0]
    named = f'{escape(it.name)} <tspan class="quiet">{escape(test)}</tspan>'
    gain = f"{score.score_with - score.score_without:+.1f} points"
    yield f'<text x="{_LEFT}" y="{y + 13}">{named}</text>'
    yield f'<text class="gain" x="{_WIDTH - _LEFT}" y="{y + 13}" text-anchor="end">{gain}</text>'
    for kind, value, top in (("without", score.score_without, y + 19), ("with", score.score_with, y + 29)):
        yield f'<rect class="{kind}" x="{_LEFT}" y="{top}" width="{value * _SCALE:.1f}" height="9" rx="2"/>'
    if score.low is not None and score.high is not None:
        low, high = (_LEFT + (score.score_without + end) * _SCALE for end in (score.low, score.high))
        middle = y + 33.5
        yield f'<line class="interval" x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}"/>'
        yield f'<line class="interval" x1="{low:.1f}" x2="{low:.1f}" y1="{middle - 3}" y2="{middle + 3}"/>'
        yield f'<line class="interval" x1="{high:.1f}" x2="{high:.1f}" y1="{middle - 3}" y2="{middle + 3}"/>'


def _legend() -> Iterator[str]:
    yield f'<rect class="without" x="{_LEFT}" y="16" width="14" height="10" rx="2"/>'
    yield f'<text class="quiet" x="{_LEFT + 20}" y="25">without the adapter</text>'
    yield f'<rect class="with" x="{_LEFT + 150}" y="16" width="14" height="10" rx="2"/>'
    yield f'<text class="quiet" x="{_LEFT + 170}" y="25">with it, 95 % interval of the gain</text>'


def _axis(height: float) -> Iterator[str]:
    for percent in (0, 25, 50, 75, 100):
        anchor = {0: "start", 100: "end"}.get(percent, "middle")
        x = _LEFT + percent * _SCALE
        yield f'<text class="quiet" x="{x:.1f}" y="{height - 10}" text-anchor="{anchor}">{percent} %</text>'


def _learned(card: Card) -> str:
    n_steps = 0 if card.training is None else card.training.steps
    steps = f", {counted(n_steps, 'step')}" if n_steps else ""
    return f"{counted(card.n_lines, 'line')}{steps}"


def _name(it: Listing) -> str:
    if it.kind != "language" or it.language is None:
        return it.id.partition("/")[2]
    # A language may have an adapter with layers and a glossary, each with a row of its own.
    return language_name(it.language) + (", glossary" if it.method == GLOSSARY.name else "")


if __name__ == "__main__":
    for page, content in pages().items():
        page.write_text(content, encoding="utf-8")
    FIGURE.parent.mkdir(exist_ok=True)
    FIGURE.write_text(figure(), encoding="utf-8")
