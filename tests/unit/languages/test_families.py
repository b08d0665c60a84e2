from importlib.resources import files
from itertools import pairwise

import pytest

from adaptkit.errors import ConfigError
from adaptkit.languages import (
    branches,
    branches_called,
    canonical_tag,
    common_branches,
    family_for,
    family_in_words,
    nearest_relative,
    shared_branches,
    trained_on,
    why_no_relative,
)
from adaptkit.languages.families import _table


@pytest.mark.parametrize(
    ("language", "others", "nearest"),
    [
        ("sw", {"rw", "yo", "en"}, "rw"),
        ("sw", {"yo", "en"}, "yo"),
        ("ur", {"hi", "ar", "fa"}, "hi"),
        ("quy", {"es", "qu"}, "qu"),
        ("sw", {"sw", "zu"}, "zu"),
        ("sw", {"fi"}, None),
        ("sw", set(), None),
        ("tlh", {"en"}, None),
        ("tlh", {"eo"}, None),
        ("ase", {"en", "bfi", "fsl"}, "fsl"),
        ("hr", {"sl", "sr"}, "sr"),
        ("osp", {"es", "pt"}, "es"),
    ],
)
def test_the_nearest_relative(language: str, others: set[str], nearest: str | None) -> None:
    assert nearest_relative(language, others) == nearest


FAMILIES = {"bantu": ("sw", "rw", "xh"), "nguni": ("xh", "zu"), "mixed": ("sw", "fi"), "congo": ("sw", "yo")}


@pytest.mark.parametrize(
    ("language", "family"), [("ss", "nguni"), ("ny", "bantu"), ("ig", "congo"), ("en", None), ("tlh", None)]
)
def test_the_family_of_a_language_is_the_smallest_that_it_fits(language: str, family: str | None) -> None:
    assert family_for(language, FAMILIES) == family


@pytest.mark.parametrize(
    ("language", "adapter"),
    [("sw", "sw"), ("rw", "bantu"), ("xh", "nguni"), ("zu", "nguni"), ("fi", "mixed"), ("yo", "congo"), ("ss", None)],
)
def test_of_several_that_were_trained_on_a_language_the_one_with_the_fewest(language: str, adapter: str | None) -> None:
    there = {**FAMILIES, "sw": ("sw",)}
    assert trained_on(language, there) == trained_on(language, dict(reversed(there.items()))) == adapter


def test_of_several_with_as_many_languages_the_first_by_name() -> None:
    there = {"mixed": ("sw", "fi"), "congo": ("sw", "yo")}
    assert trained_on("sw", there) == trained_on("sw", dict(reversed(there.items()))) == "congo"
    assert trained_on(None, there) is None


def test_what_is_common_to_languages() -> None:
    assert common_branches(["sw", "xh"]) == shared_branches("sw", "xh")
    assert common_branches(["sw", "fi"]) == ()


def _lines() -> list[str]:
    return files("adaptkit.languages").joinpath("families.txt").read_text(encoding="utf-8").splitlines()


MANY = sorted(_table())[::40]


def test_kinship_is_mutual_and_closest_with_oneself() -> None:
    for one in MANY:
        for other in MANY:
            shared, own = shared_branches(one, other), shared_branches(one, one)
            assert shared == shared_branches(other, one) == own[: len(shared)]


def test_languages_stand_under_their_canonical_tags() -> None:
    assert all(canonical_tag(tag).partition("-")[0] == tag for tag in MANY)


def test_the_languages_of_the_world_are_there() -> None:
    assert len(_table()) > 7600
    assert {tag for tag in ("swh", "quw", "gn", "zh", "ar", "fa", "nah", "cni", "wal") if branches(tag) is None} == {
        "swh"  # Its canonical tag is sw.
    }


@pytest.mark.parametrize(
    ("tag", "branch"),
    [
        ("sw", "Narrow Bantu"),
        ("yo", "Yoruboid"),
        ("wal-Latn", "Ta-Ne-Omotic"),
        ("zh-Hant", "Sinitic"),
        ("ar", "Arabic"),
        ("fa", "Farsic"),
        ("qu", "Quechuan"),
        ("gn", "Tupi-Guarani"),
        ("sr", "South Slavic"),
        ("nah", "Aztec"),
        ("ay", "Aymaran"),
        ("mn", "Mongolic"),
        ("sq", "Albanian"),
        ("pcm", "Anglic"),
    ],
)
def test_branches(tag: str, branch: str) -> None:
    assert branch in (branches(tag) or ())


def test_no_relative_is_told_from_not_known() -> None:
    assert branches("tlh") == branches("bsk") == ()
    assert branches("oav") is None
    assert nearest_relative("tlh", ["en"]) is nearest_relative("oav", ["en"]) is None
    assert why_no_relative("tlh") == "it has no known relatives"
    assert why_no_relative("oav") == "its relatives are not known, as Glottolog 5.3 does not have it"
    assert why_no_relative("gn") == "none of the others is Tupian, as it is"
    assert family_in_words("tlh") == "none known"
    assert family_in_words("oav") == "not in Glottolog 5.3"
    assert family_in_words("lo").startswith("Tai-Kadai > Kam-Tai > ")


@pytest.mark.parametrize(
    ("name", "tag", "other"),
    [("bantu", "sw", "yo"), (" Semitic", "am", "ha"), ("Romance", "ro", "la"), ("Polynesian", "mi", "id")],
)
def test_branches_are_found_by_name_or_by_a_word_of_it(name: str, tag: str, other: str) -> None:
    named = branches_called(name)
    assert named & set(branches(tag) or ())
    assert not named & set(branches(other) or ())


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Niger-Congo", "Did you mean Atlantic-Congo or"),
        ("germannic", "Did you mean Germanic or"),
        ("", "''.$"),
        ("word " * 10_000, "word word"),
    ],
)
def test_a_name_of_no_branch_is_refused_with_near_ones(name: str, near: str) -> None:
    with pytest.raises(ConfigError, match=near):
        branches_called(name)


def test_branches_of_one_branch_have_names_of_their_own() -> None:
    """Else languages of two of them would count as nearer than they are."""
    lines = [line for line in _lines() if not line.startswith("#")]
    paths, path = [], list[str]()
    for line in lines:
        depth = len(line) - len(line.lstrip("\t"))
        path[depth:] = [line.strip("\t").partition("\t")[0]]
        paths.append(tuple(path))
    assert len(set(paths)) == len(paths)
    assert all(later[: len(earlier)] == earlier or later > earlier[: len(later)] for earlier, later in pairwise(paths))


def test_the_file_says_whose_work_it_is() -> None:
    head = "\n".join(line for line in _lines() if line.startswith("#"))
    for part in ("Glottolog 5.3", "Hammarström", "10.5281/zenodo.18840935", "CC BY 4.0", "Changed:"):
        assert part in head
