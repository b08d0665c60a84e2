import itertools
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adaptkit.errors import UnknownLanguage
from adaptkit.languages import canonical_tag, language_name, macrolanguage_of, without_region
from adaptkit.languages.names import MAX_SUGGESTIONS

SIB200_FOLDERS = {
    "amh_Ethi": "am",
    "arb_Arab": "ar",
    "bam_Latn": "bm",
    "deu_Latn": "de",
    "dzo_Tibt": "dz",
    "eng_Latn": "en",
    "fra_Latn": "fr",
    "grn_Latn": "gn",
    "hau_Latn": "ha",
    "hin_Deva": "hi",
    "ibo_Latn": "ig",
    "khm_Khmr": "km",
    "kin_Latn": "rw",
    "npi_Deva": "ne",
    "quy_Latn": "quy",
    "rus_Cyrl": "ru",
    "sin_Sinh": "si",
    "spa_Latn": "es",
    "swh_Latn": "sw",
    "urd_Arab": "ur",
    "yor_Latn": "yo",
    "zho_Hans": "zh",
}


def refusal(name: str) -> UnknownLanguage:
    with pytest.raises(UnknownLanguage) as caught:
        canonical_tag(name)
    return caught.value


def tag_or_none(name: str) -> str | None:
    try:
        return canonical_tag(name)
    except UnknownLanguage:
        return None


@pytest.mark.parametrize(("folder", "tag"), SIB200_FOLDERS.items())
def test_flores_code_is_accepted(folder: str, tag: str) -> None:
    assert canonical_tag(folder) == tag


@pytest.mark.parametrize("name", ["sw", "swa", "swh", "SW", "Swahili", "SWAHILI", " swahili\n", "Kiswahili"])
def test_every_name_of_a_language_gives_one_tag(name: str) -> None:
    assert canonical_tag(name) == "sw"


@pytest.mark.parametrize(
    ("name", "tag"), [("Guarani", "gn"), ("guaraní", "gn"), ("guarani\u0301", "gn"), ("Deutsch", "de"), ("हिन्दी", "hi")]
)
def test_autonym_and_accented_name_are_accepted(name: str, tag: str) -> None:
    assert canonical_tag(name) == tag


@pytest.mark.parametrize("name", ["Haitian Creole", "haitian_creole", "Haitian-Creole"])
def test_words_of_a_name_may_be_joined(name: str) -> None:
    assert canonical_tag(name) == "ht"


@pytest.mark.parametrize(("code", "tag"), [("iw", "he"), ("ger", "de"), ("yor", "yo"), ("zh-min-nan", "nan")])
def test_retired_and_long_codes_are_replaced(code: str, tag: str) -> None:
    assert canonical_tag(code) == tag


@pytest.mark.parametrize(("code", "tag"), [("gug", "gn"), ("arb", "ar"), ("npi", "ne"), ("cmn", "zh"), ("zsm", "ms")])
def test_standard_member_becomes_its_macrolanguage(code: str, tag: str) -> None:
    assert canonical_tag(code) == tag


@pytest.mark.parametrize("code", ["quy", "quz", "qu", "yue", "arz", "fuv", "tw", "ak", "ckb", "cni", "shp", "pcm"])
def test_distinct_language_keeps_its_code(code: str) -> None:
    assert canonical_tag(code) == code


@pytest.mark.parametrize(
    ("code", "tag"),
    [("zho_Hant", "zh-Hant"), ("urd_Latn", "ur-Latn"), ("arb_Latn", "ar-Latn"), ("azb_Latn", "azb-Latn")],
)
def test_unusual_script_stays(code: str, tag: str) -> None:
    assert canonical_tag(code) == tag


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("zh-Hans", "zh"),
        ("kor_Hang", "ko"),
        ("ko-Kore", "ko"),
        ("acq_Arab", "acq"),
        ("azb_Arab", "azb"),
        ("shp_Latn", "shp"),
    ],
)
def test_usual_script_goes(code: str, tag: str) -> None:
    assert canonical_tag(code) == tag


@pytest.mark.parametrize(
    ("code", "tag"), [("zh-Hant-TW", "zh-TW"), ("zh-Hans-TW", "zh-Hans-TW"), ("pa-Arab-PK", "pa-PK")]
)
def test_usual_script_depends_on_the_region(code: str, tag: str) -> None:
    assert canonical_tag(code) == tag


@pytest.mark.parametrize(
    ("code", "tag"), [("pt_br", "pt-BR"), ("por-Latn-BR", "pt-BR"), ("ca-Valencia", "ca-valencia")]
)
def test_region_and_variant_stay(code: str, tag: str) -> None:
    assert canonical_tag(code) == tag


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        "und",
        "mul",
        "zxx",
        "mis",
        "root",
        "zzq",
        "tlhx",
        "123",
        "12",
        "🙂",
        "sw\x00ha",
        "sw\ud800",
        "x" * 100_000,
    ],
)
def test_no_language_is_refused(name: str) -> None:
    refusal(name)


@pytest.mark.parametrize(
    "tag", ["qaa", "qtz", "x-swahili", "sw-x-mine", "sw-Qaaa", "sw-Zzzz", "sw-ZZ", "en-u-co-phonebk"]
)
def test_private_use_placeholder_and_extension_are_refused(tag: str) -> None:
    refusal(tag)


@pytest.mark.parametrize(
    "tag", ["sw-", "sw--KE", "sw-KE-Latn", "sw-Latx", "sw-QQQ", "min-arb", "../sw", "sw/KE", "pt_BR.UTF-8"]
)
def test_malformed_tag_is_refused(tag: str) -> None:
    refusal(tag)


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("Swahilii", "Swahili (sw)"),
        ("swc_", "Swahili (Congo - Kinshasa) (sw-CD)"),
        ("hau_Latin", "Hausa (ha)"),
        ("Yoruba language", "Yoruba (yo)"),
        ("Shipibo", "Shipibo-Conibo (shp)"),
        ("Französisch", "French (fr)"),
    ],
)
def test_refusal_suggests_the_near_language_first(name: str, suggestion: str) -> None:
    assert refusal(name).suggestions[0] == suggestion


def test_refusal_repeats_what_was_asked() -> None:
    assert refusal("Swahilii").asked == "Swahilii"


def test_refusal_suggests_only_a_few() -> None:
    assert len(refusal("bantu").suggestions) == MAX_SUGGESTIONS


def test_unassigned_code_gets_no_suggestion() -> None:
    assert refusal("zzq").suggestions == ()


def test_refusal_of_a_very_long_name_is_short() -> None:
    assert len(str(refusal("x" * 100_000))) < 400


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [("Ga", "Irish (ga)", "Ga (gaa)"), ("Malti", "Maltese (mt)", "Sauria Paharia (mjt)")],
)
def test_name_that_could_be_two_languages_is_refused(name: str, one: str, other: str) -> None:
    assert {one, other} <= set(refusal(name).suggestions)


def test_code_beats_the_name_of_another_language() -> None:
    assert canonical_tag("ga") == canonical_tag("GA") == "ga"


@pytest.mark.parametrize(
    ("tag", "name"), [("swh_Latn", "Swahili"), ("quy", "Ayacucho Quechua"), ("zh-Hant", "Chinese (Traditional)")]
)
def test_display_name_is_english(tag: str, name: str) -> None:
    assert language_name(tag) == name


@pytest.mark.parametrize(
    ("tag", "general"),
    [("sw-KE", "sw"), ("zh-HK", "zh-Hant"), ("sr-ME", "sr-Latn"), ("ca-ES-valencia", "ca"), ("ff-Adlm", "ff-Adlm")],
)
def test_a_language_without_its_region_keeps_the_script_of_that_region(tag: str, general: str) -> None:
    assert without_region(tag) == general


def test_the_macrolanguage_of_a_language() -> None:
    assert [macrolanguage_of(tag) for tag in ("quy", "quy-PE", "tw", "sw")] == ["qu", "qu", "ak", None]


def test_display_name_of_no_language_is_refused() -> None:
    with pytest.raises(UnknownLanguage):
        language_name("zzq")


def test_every_accepted_code_is_stable_and_has_a_name() -> None:
    codes = ["".join(letters) for size in (2, 3) for letters in itertools.product(string.ascii_lowercase, repeat=size)]
    tags = {tag for code in codes if (tag := tag_or_none(code))}
    assert len(tags) > 7000
    assert [tag for tag in tags if canonical_tag(tag) != tag or "Unknown" in language_name(tag)] == []


SUBTAG = st.one_of(
    st.sampled_from(
        ["zh", "sr", "pa", "tw", "quz", "sh", "swc", "Latn", "Hant", "Arab", "TW", "PK", "ME", "419", "1996"]
    ),
    st.text(string.ascii_letters + string.digits, max_size=4),
)


@settings(deadline=None)
@given(st.one_of(st.text(st.characters()), st.lists(SUBTAG, max_size=4).map("-".join)))
def test_any_text_is_refused_or_gives_a_stable_tag(text: str) -> None:
    tag = tag_or_none(text)
    assert tag is None or canonical_tag(tag) == tag
