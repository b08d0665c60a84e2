"""What is known of languages: their tags and names, their families, the scripts that they are written in."""

from adaptkit.languages.families import branches, nearest_relative, shared_branches
from adaptkit.languages.scripts import UNSPACED, count_scripts, usual_scripts
from adaptkit.languages.tags import autonym, canonical_tag, language_name, script_code, script_name

__all__ = [
    "UNSPACED",
    "autonym",
    "branches",
    "canonical_tag",
    "count_scripts",
    "language_name",
    "nearest_relative",
    "script_code",
    "script_name",
    "shared_branches",
    "usual_scripts",
]
