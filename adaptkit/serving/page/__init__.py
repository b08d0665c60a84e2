"""The page on which a stack is tried by hand: four files that ask nothing of any other site."""

from importlib.resources import files

_KINDS = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


def page_file(name: str) -> tuple[bytes, str]:
    """A file of the page, and what it is."""
    return files(__name__).joinpath(name).read_bytes(), _KINDS[name.rpartition(".")[2]]
