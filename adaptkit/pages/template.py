"""A template of jinja2 that lies beside the module that fills it, with every text in it escaped."""

from collections.abc import Callable
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from adaptkit.terminal.plain_text import markdown_text, one_line, printable

if TYPE_CHECKING:
    from jinja2 import Environment

Language: TypeAlias = Literal["html", "html line", "markdown"]


def filled(language: Language, package: str, name: str, /, **values: object) -> str:
    """The template of that name in a package, filled with these values.

    A text becomes printable characters wherever it is shown, escaped for the `language` of the page, so that it shows
    these characters and nothing else; it keeps its lines in `html` alone. What is made by ourselves, and is no text of
    a stranger, is passed as `markup`, or goes through the filter `safe`. A name that is not given is an error, not
    nothing.
    """
    environment = _environment(language, package)
    return environment.get_template(name).render(**values)


def markup(text: str) -> str:
    """A text that is shown as it is; only for what no stranger wrote."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - that is what it is for


@cache
def _environment(language: Language, package: str) -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    in_language: Callable[[str], str] = _IN_LANGUAGE[language]

    def shown(value: Any) -> Any:  # noqa: ANN401 - whatever stands in a template
        return Markup(in_language(value)) if isinstance(value, str) and not isinstance(value, Markup) else value  # noqa: S704

    folder, _, inside = package.partition(".")
    environment = Environment(
        loader=PackageLoader(folder, inside.replace(".", "/")),
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["count"] = lambda number: f"{number:,}"
    environment.filters["digits"] = lambda number, n_digits: f"{number:,.{n_digits}f}"
    environment.filters["percent"] = lambda share, n_digits=0: f"{share:.{n_digits}%}"
    return environment


def _as_html(text: str) -> str:
    return escape(printable(text))


def _as_html_line(text: str) -> str:
    return escape(one_line(text))


def _as_markdown(text: str) -> str:
    return markdown_text(one_line(text))


_IN_LANGUAGE: dict[Language, Callable[[str], str]] = {
    "html": _as_html,
    "html line": _as_html_line,
    "markdown": _as_markdown,
}
