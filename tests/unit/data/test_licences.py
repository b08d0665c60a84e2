"""The licence of a mix follows from those of its texts, and nothing is guessed."""

import pytest

from adaptkit.data.licences import combined, known_name

WHOLES = {
    ("CC0 1.0", "CC BY-SA 4.0"): "CC-BY-SA-4.0",
    ("CC-BY-4.0", "CC-BY-NC-4.0", "CC0"): "CC-BY-NC-4.0",
    ("CC-BY-SA-3.0", "CC BY-SA 4.0", "CC BY 4.0"): "CC-BY-SA-4.0",
    ("CC-BY-NC-SA-4.0", "CC-BY-NC-3.0", "CC-BY-4.0"): "CC-BY-NC-SA-4.0",
    ("CC-BY-SA", "CC-BY-SA-4.0"): "CC-BY-SA",
    ("CC-BY-4.0", "Apache-2.0", "MIT"): "CC-BY-4.0 AND Apache-2.0 AND MIT",
    ("MIT", "CC0"): "MIT",
    ("public domain", "CC0"): "CC0-1.0",
    ("cc by 4.0", "CC-BY-4.0"): "CC-BY-4.0",
}


@pytest.mark.parametrize(("licences", "whole"), WHOLES.items())
def test_the_one_that_asks_for_most(licences: tuple[str, ...], whole: str) -> None:
    for order in (licences, licences[::-1]):
        found = combined(order)
        assert set(found.licence.split(" AND ")) == set(whole.split(" AND "))
        assert not found.problem


@pytest.mark.parametrize("licence", ["My own licence", "cc by-sa 4.0", "not stated"])
def test_one_licence_stays_as_it_is_written(licence: str) -> None:
    assert combined([licence, licence]).licence == licence


CONFLICTS = {
    ("CC-BY-SA-4.0", "CC-BY-NC-4.0"): "no commercial use",
    ("CC-BY-SA-4.0", "CC-BY-NC-SA-4.0"): "CC-BY-SA-4.0 asks to be passed on under itself",
    ("CC-BY-ND-4.0", "CC0"): "no changed versions",
}


@pytest.mark.parametrize(("licences", "problem"), CONFLICTS.items())
def test_what_does_not_go_together_is_said(licences: tuple[str, ...], problem: str) -> None:
    for order in (licences, licences[::-1]):
        found = combined(order)
        assert problem in found.problem
        assert found.licence.startswith("of its texts: ")


def test_an_unknown_licence_is_said_and_not_guessed() -> None:
    found = combined(["CC0", "Licence of the village"])
    assert found.licence == "of its texts: CC0-1.0, Licence of the village"
    assert "Licence of the village" in found.problem


def test_one_that_is_not_stated_leaves_the_whole_not_stated() -> None:
    found = combined(["CC0", "not stated"])
    assert found.licence == "not stated"
    assert found.problem == "some of its texts state none, the others CC0-1.0"


@pytest.mark.parametrize(
    ("written", "name"),
    [("cc_by_nc 3.0", "CC-BY-NC-3.0"), ("CC-0", "CC0-1.0"), ("CC-BY-1.0", "CC-BY-1.0"), (" x ", "x")],
)
def test_names_are_known_however_they_are_written(written: str, name: str) -> None:
    assert known_name(written) == name
