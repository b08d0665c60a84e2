"""The page that lists the decisions, by their own headings."""

from tools.site.places import ROOT

_FOLDER = ROOT / "docs" / "decisions"


def decisions_page() -> str:
    """The page."""
    entries = [
        f"- [{_heading(path.read_text(encoding='utf-8'))}]({path.name})" for path in sorted(_FOLDER.glob("*.md"))
    ]
    return "\n".join(
        ["# Decisions", "", "Why things are as they are: each was taken on what was measured.", "", *entries, ""]
    )


def _heading(page: str) -> str:
    return page.partition("\n")[0].removeprefix("# ")
