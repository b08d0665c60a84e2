"""The page of the project's own zoo."""

from adaptkit.format.catalogue import Catalogue
from adaptkit.format.listing import Listing
from adaptkit.gallery import gallery_part
from tools.site.places import ROOT

PAGE = "results/adapters.md"
_HEADING = """\
---
hide: [navigation, toc]
---
# Adapters that come with adaptkit

Each was trained for the embedded backbone, multilingual-e5-small, by `python -m benchmarks.run zoo`; see
[the zoo's own page](../../adapters_zoo/README.md) for what was tried and left out.
`adaptkit index ZOO --page FILE` writes such a page [of any zoo](../how-to/zoo.md#a-page).
"""


def gallery_heading() -> str:
    """What stands above the adapters, as a page of the repository."""
    return _HEADING


def zoo_part() -> str:
    """The adapters, as HTML."""
    return gallery_part(Catalogue(ROOT / "adapters_zoo", Listing))
