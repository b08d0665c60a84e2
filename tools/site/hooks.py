"""What mkdocs calls while it builds the site; `mkdocs.yml` names this file."""

from collections.abc import Callable, Iterator, Mapping

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from tools.site.command_line import command_line_page
from tools.site.decisions import decisions_page
from tools.site.gallery import PAGE as GALLERY
from tools.site.gallery import gallery_heading, zoo_part
from tools.site.navigation import navigation
from tools.site.notebook import PAGE as NOTEBOOK
from tools.site.notebook import notebook_page
from tools.site.places import BESIDE, ROOT, SHOWN, linked, place_of, with_links_of_the_site
from tools.site.reference import reference_pages, reference_titles
from tools.site.results import PAGE as RESULTS
from tools.site.results import results_page

_MADE: Mapping[str, Mapping[str, str]] = {
    "Reference": {"Command line": "reference/command-line.md"} | reference_titles(),
    "Results": {"Adapters": GALLERY, "Results": RESULTS},
}
_ON_THE_WAY: Mapping[str, Callable[[], str]] = {
    "reference/command-line.md": command_line_page,
    "decisions/index.md": decisions_page,
    GALLERY: gallery_heading,
    NOTEBOOK: notebook_page,
    RESULTS: results_page,
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Give mkdocs the groups of docs/index.md."""
    config.nav = navigation(_MADE)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what does not lie in docs/, and put what does where the site has it."""
    for file in list(files.documentation_pages()):
        if (place := place_of(f"docs/{file.src_uri}")) != file.src_uri:
            files.remove(file)
            files.append(_shown(config, f"docs/{file.src_uri}", place))
    for path, place in SHOWN.items():
        if not path.startswith("docs/"):
            files.append(_shown(config, path, place))
    for place, made in {**{place: make() for place, make in _ON_THE_WAY.items()}, **reference_pages()}.items():
        files.append(File.generated(config, place, content=made))
    waiting = list(files.documentation_pages())
    while waiting:
        for path in _linked_beside(waiting.pop()):
            if files.get_file_from_path(place_of(path)) is None:
                files.append(file := _shown(config, path, place_of(path)))
                waiting += [file] if file.is_documentation_page() else []
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - as mkdocs calls it
    """Let the links of a page lead to where their files lie in the site."""
    return with_links_of_the_site(_path_of(page.file), markdown)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - as mkdocs calls it
    """Put the adapters on their page: they are HTML already."""
    return html + zoo_part() if page.file.src_uri == GALLERY else html


def _shown(config: MkDocsConfig, path: str, place: str) -> File:
    return File.generated(config, place, abs_src_path=str(ROOT / path))


def _path_of(file: File) -> str:
    """The path in the repository; of a page that is made, the place in docs/ where it would be written."""
    found = {place: path for path, place in SHOWN.items()}.get(file.src_uri)
    if found is not None and (ROOT / found).is_file():
        return found
    return file.src_uri.removeprefix(BESIDE) if file.src_uri.startswith(BESIDE) else f"docs/{file.src_uri}"


def _linked_beside(page: File) -> Iterator[str]:
    """The files outside docs/ that a page links."""
    for path in linked(_path_of(page), page.content_string):
        if (ROOT / path).is_file() and place_of(path).startswith(BESIDE):
            yield path
