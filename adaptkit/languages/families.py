"""How near two languages are, by the families that linguists put them in."""

from collections.abc import Iterable, Mapping
from itertools import takewhile

# Branches as in Glottolog and Ethnologue, the widest first; only as deep as tells these languages apart.
_NIGER_CONGO = ("Niger-Congo", "Atlantic-Congo")
_BANTU = (*_NIGER_CONGO, "Volta-Congo", "Benue-Congo", "Bantoid", "Bantu")
_ROMANCE = ("Indo-European", "Italic", "Romance")
_GERMANIC = ("Indo-European", "Germanic")
_INDO_ARYAN = ("Indo-European", "Indo-Iranian", "Indo-Aryan")
_SLAVIC = ("Indo-European", "Balto-Slavic", "Slavic")
_SEMITIC = ("Afro-Asiatic", "Semitic")
_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "sw": (*_BANTU, "Northeast"),
    "rw": (*_BANTU, "Great Lakes", "Rwanda-Rundi"),
    "rn": (*_BANTU, "Great Lakes", "Rwanda-Rundi"),
    "lg": (*_BANTU, "Great Lakes"),
    "ny": (*_BANTU, "Nyasa"),
    "sn": (*_BANTU, "Shona"),
    "zu": (*_BANTU, "Southern", "Nguni"),
    "xh": (*_BANTU, "Southern", "Nguni"),
    "tn": (*_BANTU, "Southern", "Sotho-Tswana"),
    "st": (*_BANTU, "Southern", "Sotho-Tswana"),
    "ln": (*_BANTU, "Bangi"),
    "yo": (*_NIGER_CONGO, "Volta-Congo", "Benue-Congo", "Defoid"),
    "ig": (*_NIGER_CONGO, "Volta-Congo", "Benue-Congo", "Igboid"),
    "ee": (*_NIGER_CONGO, "Volta-Congo", "Kwa", "Gbe"),
    "ak": (*_NIGER_CONGO, "Volta-Congo", "Kwa", "Potou-Tano"),
    "tw": (*_NIGER_CONGO, "Volta-Congo", "Kwa", "Potou-Tano"),
    "wo": (*_NIGER_CONGO, "Atlantic", "Senegambian"),
    "ff": (*_NIGER_CONGO, "Atlantic", "Senegambian"),
    "bm": ("Mande", "Western Mande", "Manding"),
    "ha": ("Afro-Asiatic", "Chadic"),
    "so": ("Afro-Asiatic", "Cushitic"),
    "om": ("Afro-Asiatic", "Cushitic"),
    "wal": ("Afro-Asiatic", "Omotic"),
    "am": (*_SEMITIC, "Ethiopic"),
    "ti": (*_SEMITIC, "Ethiopic"),
    "ar": (*_SEMITIC, "Central"),
    "he": (*_SEMITIC, "Central"),
    "mt": (*_SEMITIC, "Central"),
    "gn": ("Tupian", "Tupi-Guarani"),
    "qu": ("Quechuan",),
    "quy": ("Quechuan", "Southern Quechua"),
    "quz": ("Quechuan", "Southern Quechua"),
    "quw": ("Quechuan", "Northern Quechua", "Amazonian Kichwa"),
    "qvo": ("Quechuan", "Northern Quechua", "Amazonian Kichwa"),
    "qvz": ("Quechuan", "Northern Quechua", "Amazonian Kichwa"),
    "qvi": ("Quechuan", "Northern Quechua", "Highland Kichwa"),
    "qug": ("Quechuan", "Northern Quechua", "Highland Kichwa"),
    "ay": ("Aymaran",),
    "shp": ("Panoan",),
    "cni": ("Arawakan", "Campa"),
    "nah": ("Uto-Aztecan",),
    "en": (*_GERMANIC, "West", "Anglic"),
    "pcm": (*_GERMANIC, "West", "Anglic"),
    "de": (*_GERMANIC, "West", "High German"),
    "nl": (*_GERMANIC, "West", "Low Franconian"),
    "af": (*_GERMANIC, "West", "Low Franconian"),
    "sv": (*_GERMANIC, "North"),
    "fr": (*_ROMANCE, "Western"),
    "es": (*_ROMANCE, "Western", "Iberian"),
    "pt": (*_ROMANCE, "Western", "Iberian"),
    "it": (*_ROMANCE, "Italo-Dalmatian"),
    "ro": (*_ROMANCE, "Eastern"),
    "bg": (*_SLAVIC, "South"),
    "ru": (*_SLAVIC, "East"),
    "uk": (*_SLAVIC, "East"),
    "pl": (*_SLAVIC, "West"),
    "el": ("Indo-European", "Greek"),
    "hi": (*_INDO_ARYAN, "Western Hindi"),
    "ur": (*_INDO_ARYAN, "Western Hindi"),
    "bn": (*_INDO_ARYAN, "Eastern"),
    "mr": (*_INDO_ARYAN, "Southern"),
    "ne": (*_INDO_ARYAN, "Northern"),
    "fa": ("Indo-European", "Indo-Iranian", "Iranian"),
    "tr": ("Turkic", "Oghuz"),
    "az": ("Turkic", "Oghuz"),
    "kk": ("Turkic", "Kipchak"),
    "vi": ("Austroasiatic", "Vietic"),
    "km": ("Austroasiatic", "Khmeric"),
    "th": ("Tai-Kadai", "Tai"),
    "lo": ("Tai-Kadai", "Tai"),
    "zh": ("Sino-Tibetan", "Sinitic"),
    "my": ("Sino-Tibetan", "Burmese"),
    "dz": ("Sino-Tibetan", "Bodish"),
    "bo": ("Sino-Tibetan", "Bodish"),
    "id": ("Austronesian", "Malayo-Polynesian"),
    "tl": ("Austronesian", "Malayo-Polynesian", "Philippine"),
    "fil": ("Austronesian", "Malayo-Polynesian", "Philippine"),
}


def branches(tag: str) -> tuple[str, ...]:
    """The branches that a language (canonical tag) is in, widest first; none where it is not in the table."""
    return _FAMILIES.get(tag.partition("-")[0], ())


def shared_branches(one: str, other: str) -> tuple[str, ...]:
    """The branches that two languages (canonical tags) share, widest first; none where one is not in the table."""
    pairs = zip(branches(one), branches(other), strict=False)
    return tuple(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def nearest_relative(language: str, others: Iterable[str]) -> str | None:
    """The one of `others` that shares most branches, the first of several; None where none shares any.

    The language itself is not its own relative.
    """
    candidates = sorted(set(others) - {language})
    near = max(candidates, key=lambda other: len(shared_branches(language, other)), default=None)
    return near if near is not None and shared_branches(language, near) else None
