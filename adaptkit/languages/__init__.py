"""What is known of languages: their tags and names, their families, the scripts that they are written in."""

from adaptkit.languages.families import (
    branches,
    branches_called,
    common_branches,
    family_for,
    family_in_words,
    nearest_relative,
    relative_trained_on,
    shared_branches,
    trained_on,
    why_no_relative,
)
from adaptkit.languages.frequent_words import share_of_frequent_words, with_frequent_words
from adaptkit.languages.scripts import (
    UNSPACED,
    count_scripts,
    name_of_script,
    script_code,
    script_name,
    script_of,
    scripts_of,
    usual_scripts,
)
from adaptkit.languages.tags import autonym, canonical_tag, language_name, macrolanguage_of, without_region

__all__ = [
    "UNSPACED",
    "autonym",
    "branches",
    "branches_called",
    "canonical_tag",
    "common_branches",
    "count_scripts",
    "family_for",
    "family_in_words",
    "language_name",
    "macrolanguage_of",
    "name_of_script",
    "nearest_relative",
    "relative_trained_on",
    "script_code",
    "script_name",
    "script_of",
    "scripts_of",
    "share_of_frequent_words",
    "shared_branches",
    "trained_on",
    "usual_scripts",
    "why_no_relative",
    "with_frequent_words",
    "without_region",
]
