import base64
import hashlib
import json
import re
import shutil
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adaptkit.cli.app import commands
from adaptkit.errors import AdapterFileError
from adaptkit.format.catalogue import Catalogue
from adaptkit.format.listing import Listing
from adaptkit.format.spec import RECORD_FILE
from adaptkit.gallery import gallery_page, gallery_part
from tests.browser import DESK, PHONE, browse, needs_browser
from tests.hostile import put
from tests.hostile_texts import MEANT, MISLEADING, STEERING
from tests.tiny import tiny_model
from tests.zoos import made_zoo

OURS = Path(__file__).parents[3] / "adapters_zoo"
HAUSA = "multilingual-e5-small/language/ha"
# A frame gives the page the width of a phone; the document around it measures, and chooses as a reader would.
AROUND = """<!doctype html><body style="margin:0"><iframe srcdoc="{page}" width="{width}" height="1500"
style="border:0"></iframe><script>addEventListener("load", () => {{
  const inside = document.querySelector("iframe").contentDocument, all = inside.documentElement;
  const script = inside.querySelector("select[name=script]"), seen = [all.scrollWidth, all.clientWidth];
  script.value = "Tibetan"; script.dispatchEvent(new Event("change"));
  const shown = [...inside.querySelectorAll("tbody tr")].filter(row => row.getClientRects().length);
  document.body.setAttribute("data-seen", JSON.stringify([...seen, inside.querySelector("output").textContent,
    shown.map(row => row.querySelector("code").textContent)]));
}});</script>"""


class Tags(HTMLParser):
    """Which tags and attributes a page has, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def zoo_at(folder: Path) -> Catalogue[Listing]:
    return Catalogue(folder, Listing)


def test_adapters_of_one_name_are_told_apart_by_their_places(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "zoo")
    shutil.copytree(made / "tiny-bert" / "language" / "sw", tmp_path / "zoo" / "again")
    asked = ["index", str(tmp_path / "zoo"), "--page", str(tmp_path / "zoo.html")]
    told = CliRunner().invoke(commands(), asked)
    assert told.exit_code == 0
    assert "are called language/sw: " in told.stderr
    page = (tmp_path / "zoo.html").read_text(encoding="utf-8")
    assert [place for place in ("tiny-bert/language/sw", "again") if f">in {place}<" in page] == [
        "tiny-bert/language/sw",
        "again",
    ]
    assert ">in " not in gallery_page(zoo_at(made))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_zoo(tmp_path_factory.mktemp("made") / "zoo", tiny_model())


def test_our_zoo_is_shown_with_what_its_cards_say() -> None:
    page = gallery_page(zoo_at(OURS))
    for listing in zoo_at(OURS):
        row = next(part for part in page.split("<tr")[1:] if f"<code>{listing.id}</code>" in part)
        score = listing.scores[0]
        for told in (
            f"{score.score_without:.1f}",
            f"{score.score_with:.1f}",
            f"({score.low:+.1f} to {score.high:+.1f})",
        ):
            assert told in row
        assert escape(listing.licence) in row
        assert f"adapters_zoo/{listing.place}" in row
    assert page.count("<tr data-family") == len(zoo_at(OURS)) >= 10


def test_the_page_names_no_folder_of_this_machine(made: Path) -> None:
    page = gallery_page(zoo_at(made))
    assert str(made.parent) not in page
    assert 'load_adapter(\n  "zoo/tiny-bert/language/sw"\n)' in unescape(page)


def test_the_lines_that_load_an_adapter_are_python(made: Path) -> None:
    blocks = re.findall(r"<pre[^>]*><code>(.*?)</code>", gallery_part(zoo_at(made)), re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        compile(unescape(block), "page", "exec")
    assert "model.predict" in blocks[-1]
    assert "model.encode" in blocks[0]


@pytest.mark.parametrize("text", [*MEANT.values(), *MISLEADING.values()], ids=[*MEANT, *MISLEADING])
def test_what_a_stranger_wrote_is_shown_as_text(text: str, made: Path) -> None:
    plain = Tags(gallery_page(zoo_at(made)))
    record = made / "tiny-bert/language/sw" / RECORD_FILE
    before = record.read_text()
    for field in ("source", "licence", "evaluations.0.task", "evaluations.0.metric"):
        put(record.parent, RECORD_FILE, f"card.{field}", text)
    shown = Tags(gallery_page(zoo_at(made)))
    record.write_text(before)
    assert shown.tags == plain.tags
    assert "".join(shown.texts).isprintable() or "\u202e" not in "".join(shown.texts)
    assert text[:40] in "".join(shown.texts) or text in MISLEADING.values()


@pytest.mark.parametrize("text", list(STEERING.values())[:3])
def test_a_zoo_with_a_card_that_steers_gets_no_page(text: str, made: Path) -> None:
    record = made / "tiny-bert/language/sw" / RECORD_FILE
    before = record.read_text()
    put(record.parent, RECORD_FILE, "card.source", text)
    with pytest.raises(AdapterFileError):
        gallery_page(zoo_at(made))
    record.write_text(before)


def test_the_only_script_that_may_run_is_the_pages_own() -> None:
    page = gallery_page(zoo_at(OURS))
    policy = unescape(re.findall(r'Content-Security-Policy" content="([^"]+)"', page)[0])
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert re.findall(r"(?:src|href)=", page) == []


@needs_browser
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_it_fits_a_phone_and_its_filters_choose(width: int, tmp_path: Path) -> None:
    around = tmp_path / "around.html"
    around.write_text(AROUND.format(page=escape(gallery_page(zoo_at(OURS))), width=width))
    found = re.search(r'data-seen="([^"]+)"', browse(around.as_uri(), tmp_path, DESK, "--dump-dom"))
    assert found
    assert json.loads(unescape(found[1])) == [width, width, f"1 of {len(zoo_at(OURS))}", ["language/dz"]]


def test_the_command_writes_the_page_beside_the_zoo_and_never_into_it(made: Path) -> None:
    index, page = made / "index.json", made.parent / "zoo.html"
    for wrong in (made / "zoo.html", made.parent / "no-such-folder" / "zoo.html", made.parent):
        result = CliRunner().invoke(commands(), ["index", str(made), "--page", str(wrong)])
        assert "Give" in str(result.exception)
        assert not index.exists()
    assert CliRunner().invoke(commands(), ["index", str(made), "--page", str(page)]).exit_code == 0
    assert page.read_text(encoding="utf-8") == gallery_page(zoo_at(made))
    zoo_at(made).check()
    assert CliRunner().invoke(commands(), ["index", str(made), "--page", str(page)]).exit_code == 0  # once more
    page.write_text("# notes")
    index.unlink()
    result = CliRunner().invoke(commands(), ["index", str(made), "--page", str(page)])
    assert "is not a page of a zoo" in str(result.exception)
    assert (page.read_text(), index.exists()) == ("# notes", False)
