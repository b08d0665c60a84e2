"""Templates: a text is text wherever it is shown, and what is not given is an error."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from adaptkit.pages import template
from adaptkit.pages.template import filled, markup

HOSTILE = "a <b>&\n# c \x1b[31m"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "of_pages").mkdir()
    (tmp_path / "of_pages" / "__init__.py").touch()
    (tmp_path / "of_pages" / "page.jinja").write_text('"{{ text }}" {{ made }} {{ number | count }} {{ text | safe }}')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(template, "_environment", template._environment.__wrapped__)
    return "of_pages"


def test_html_is_escaped(package: str) -> None:
    page = filled("html", package, "page.jinja", text=HOSTILE, made=markup("<i>"), number=1200)
    assert page == f'"a &lt;b&gt;&amp;\n# c \ufffd[31m" <i> 1,200 {HOSTILE}'


def test_a_line_of_html_is_one(package: str) -> None:
    page = filled("html line", package, "page.jinja", text=HOSTILE, made=markup("<i>"), number=1)
    assert page.startswith('"a &lt;b&gt;&amp; # c \ufffd[31m" <i> 1 ')


def test_markdown_is_a_line_of_text(package: str) -> None:
    page = filled("markdown", package, "page.jinja", text=HOSTILE, made=markup("*x*"), number=3)
    assert page.startswith('"a &lt;b>&amp; \\# c \ufffd\\[31m" *x* 3 ')


def test_what_is_not_given_is_an_error(package: str) -> None:
    with pytest.raises(UndefinedError, match="made"):
        filled("html", package, "page.jinja", text="", number=1)
