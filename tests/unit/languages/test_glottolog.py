"""How the table of families is made from Glottolog's tree; the names are real, the tree is cut down."""

import pytest

from tools.glottolog import HEADER, Languoid, Tree, places, render

LANGUOIDS = (
    Languoid("atla1278", "Atlantic-Congo", "family"),
    Languoid("narr1281", "Narrow Bantu", "family", "atla1278", "bnt"),
    Languoid("swah1253", "Swahili", "language", "narr1281", "swh"),
    Languoid("cong1235", "Congo Swahili", "language", "atla1278", "swc"),
    Languoid("uncl1234", "Unclassified Narrow Bantu", "family", "narr1281"),
    Languoid("zulu1248", "Zulu", "language", "uncl1234", "zul"),
    Languoid("quec1387", "Quechuan", "family"),
    Languoid("sout1234", "Southern Quechua", "family", "quec1387"),
    Languoid("ayac1239", "Ayacucho Quechua", "language", "sout1234", "quy"),
    Languoid("cusc1236", "Cusco Quechua", "language", "sout1234", "quz"),
    Languoid("tena1240", "Tena Kichwa", "language", "quec1387", "quw"),
    Languoid("indo1319", "Indo-European", "family"),
    Languoid("alba1267", "Albanian", "family", "indo1319", "sqi"),
    Languoid("tosk1239", "Northern Tosk Albanian", "language", "alba1267", "als"),
    Languoid("sout1528", "Serbian-Croatian-Bosnian", "language", "indo1319", "hbs"),
    Languoid("croa1245", "Croatian Standard", "dialect", "sout1528", "hrv"),
    Languoid("serb1264", "Serbian Standard", "dialect", "sout1528", "srp"),
    Languoid("shto1234", "Shtokavian", "dialect", "sout1528"),
    Languoid("gree1276", "Greek", "family", "indo1319"),
    Languoid("basq1248", "Basque", "language", None, "eus"),
    Languoid("arti1236", "Artificial Language", "family"),
    Languoid("espe1234", "Esperantic", "family", "arti1236"),
    Languoid("espe1235", "Esperanto", "language", "espe1234", "epo"),
    Languoid("klin1234", "Klingon", "language", "arti1236", "tlh"),
    Languoid("sign1238", "Sign Language", "family", None, "sgn"),
    Languoid("book1242", "Bookkeeping", "family"),
    Languoid("oldp1254", "Old Persian", "language", "book1242", "peo"),
    Languoid("none1234", "No Such Language", "language", "indo1319", "qzz"),
)
TREE = Tree({languoid.glottocode: languoid for languoid in LANGUOIDS})


@pytest.mark.parametrize(
    ("tag", "path"),
    [
        ("sw", ("atla1278", "narr1281")),  # Of swh, not of swc, which becomes sw-CD.
        ("zu", ("atla1278", "narr1281")),
        ("bnt", ("atla1278", "narr1281")),
        ("qu", ("quec1387",)),
        ("quy", ("quec1387", "sout1234")),
        ("sq", ("indo1319", "alba1267")),
        ("sr", ("indo1319", "sout1528")),
        ("hr", ("indo1319", "sout1528")),
        ("eo", ("espe1234",)),
        ("tlh", ()),
        ("eu", ()),
    ],
)
def test_where_a_language_stands(tag: str, path: tuple[str, ...]) -> None:
    assert places(TREE)[tag] == path


def test_what_is_no_language_is_left_out() -> None:
    assert places(TREE).keys().isdisjoint({"swh", "peo", "sgn", "qzz", "als", "hbs"})


def test_the_table() -> None:
    assert render(TREE) == HEADER + (
        "-\teu tlh\n"
        "Atlantic-Congo\n"
        "\tNarrow Bantu\tbnt sw zu\n"
        "Esperantic\teo\n"
        "Indo-European\n"
        "\tAlbanian\tsq\n"
        "\tSerbian-Croatian-Bosnian\thr sr\n"
        "Quechuan\tqu quw\n"
        "\tSouthern Quechua\tquy quz\n"
    )
