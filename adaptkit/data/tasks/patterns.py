"""Names with a language in them: `test-sw.tsv`, `swh_Latn/test.tsv`, `mlqa.de.es`."""

import re
from collections.abc import Iterable, Mapping

from adaptkit.data.packed import PACKED_SUFFIXES
from adaptkit.data.tasks.specs import TaskSpec
from adaptkit.errors import UnknownLanguage
from adaptkit.languages import canonical_tag

_CODE = r"[^/.]+?"


def named_languages(pattern: str, names: Iterable[str]) -> Mapping[str, str]:
    """Find the names that a pattern with `{code}` (and `{other}`) fits.

    Returns:
        The name for each canonical tag, for a pair of languages under `de-es`. Codes of no language are passed over;
        a name without `.gz` or the like goes before the same with it.

    """
    expression = re.compile(_expression(pattern))
    found: dict[str, str] = {}
    for name in sorted(names):
        match = expression.fullmatch(name)
        if match and (key := _key(match.groupdict())):
            found.setdefault(key, name)
    return found


def language_key(spec: TaskSpec, language: str) -> str:
    """Give the canonical tag of a language, or of both of a pair where the benchmark has pairs.

    Raises:
        UnknownLanguage: it is none.

    """
    first, hyphen, second = language.partition("-")
    if spec.pairs and hyphen and len(second) in (2, 3):
        return _joined(canonical_tag(first), canonical_tag(second))
    return canonical_tag(language)


def context_language(spec: TaskSpec, key: str) -> str:
    """Give the language that the text of an example is in: of a pair, the first."""
    return key.partition("-")[0] if spec.pairs and is_pair(key) else key


def is_pair(key: str) -> bool:
    """Tell a pair such as `de-es` from a tag such as `zh-Hant` or `de-CH`."""
    return re.fullmatch(r"[a-z]{2,3}-[a-z]{2,3}", key) is not None


def _expression(pattern: str) -> str:
    escaped = re.escape(pattern).replace(r"\{code\}", "{code}").replace(r"\{other\}", "{other}")
    first = escaped.replace("{code}", f"(?P<code>{_CODE})", 1).replace("{other}", f"(?P<other>{_CODE})", 1)
    return first.replace("{code}", "(?P=code)") + f"(?:{'|'.join(map(re.escape, PACKED_SUFFIXES))})?"


def _key(codes: Mapping[str, str]) -> str | None:
    try:
        tags = [canonical_tag(code) for code in codes.values()]
    except UnknownLanguage:
        return None
    return _joined(*tags) if tags else None


def _joined(first: str, second: str | None = None) -> str:
    return first if second in (None, first) else f"{first}-{second}"
