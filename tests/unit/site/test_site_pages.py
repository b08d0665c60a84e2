"""The pages of the site that are made, and its links and groups."""

import re
from pathlib import Path

import pytest

import adaptkit
from tools.site.command_line import command_line_page
from tools.site.navigation import listed, navigation
from tools.site.places import ROOT, linked, place_of, with_links_of_the_site
from tools.site.reference import public_names, reference_pages
from tools.site.results import results_page


def test_every_public_name_is_on_a_page_of_the_reference() -> None:
    names = [name for of_part in public_names().values() for name in of_part]
    assert sorted(names) == sorted(adaptkit.__all__)
    pages = reference_pages()
    directives = re.findall(r"^::: adaptkit\.(\w+)$", "\n".join(pages.values()), re.MULTILINE)
    assert sorted(directives) == sorted(adaptkit.__all__)
    rows = pages["reference/index.md"].splitlines()[6:]
    assert len(rows) == len(adaptkit.__all__)
    assert [row for row in rows if row.endswith("|  |")] == []


def test_every_page_of_docs_is_listed_in_its_index() -> None:
    pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")}
    pages = {page for page in pages if not page.startswith("docs/decisions/")} - {"docs/index.md"}
    assert pages - set(listed()) == set()
    assert [path for path in listed() if not (ROOT / path).exists()] == []


def test_the_groups_are_those_of_the_index_with_what_is_made_behind() -> None:
    groups = navigation({"Results": {"Made": "made.md"}})
    titles = [title for group in groups for title in group]
    assert titles == ["Start", "How-to", "Reference", "Explanation", "Results", "Contribute"]
    assert groups[0]["Start"][0] == {"adaptkit": "index.md"}  # type: ignore[index]
    assert {"Made": "made.md"} in groups[4]["Results"]  # type: ignore[operator]
    assert [title for group in groups[1]["How-to"] for title in group][:2] == ["Train", "Use"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("page", "link", "in_the_site"),
    [
        ("README.md", "docs/how-to/train.md#several-processes", "how-to/train.md#several-processes"),
        ("docs/how-to/serve.md", "../../benchmarks/HISTORY.md", "../results/history.md"),
        ("docs/index.md", "decisions/", "decisions/index.md"),
        ("docs/index.md", "../CONTRIBUTING.md", "contribute/index.md"),
        ("CONTRIBUTING.md", "docs/glossary.md", "../glossary.md"),
        ("docs/how-to/zoo.md", "../../adapters_zoo/README.md", "../repository/adapters_zoo/README.md"),
        ("docs/how-to/zoo.md", "no-such-file.md", "no-such-file.md"),
        ("docs/how-to/zoo.md", "https://example.org/README.md", "https://example.org/README.md"),
        ("docs/how-to/zoo.md", "../../../README.md", "../../../README.md"),
    ],
)
def test_links_lead_to_where_files_lie_in_the_site(page: str, link: str, in_the_site: str) -> None:
    assert with_links_of_the_site(page, f"[so]({link})") == f"[so]({in_the_site})"


def test_files_that_pages_link_are_found_and_folders_of_others_are_not() -> None:
    assert list(linked("docs/how-to/zoo.md", "[a](../../LICENSE) [b](../../../w) [c](x.md)")) == ["LICENSE"]
    assert place_of("LICENSE") == "repository/LICENSE"


def test_the_page_of_the_command_line_has_every_command_with_its_flags() -> None:
    page = command_line_page()
    for heading in ("## adaptkit train", "## adaptkit list", "## adaptkit backbone export"):
        assert f"\n{heading}\n" in page
    assert "--token-anchor" in page
    assert str(Path.home()) not in page


def test_the_page_of_results_has_every_case_and_names_files_that_are_there() -> None:
    page = results_page()
    cases = {path.stem.split("-", 2)[2] for path in (ROOT / "benchmarks/results").glob("*.json")}
    assert all(f"| `{case}` |" in page for case in cases)
    files = re.findall(r"\(\.\./\.\./(benchmarks/results/[^)]+)\)", page)
    assert len(files) > len(cases)
    assert all((ROOT / file).is_file() for file in files)
