"""Words and the part of speech of each."""

from adaptkit.heads.tagging import Tagging
from adaptkit.scores import UNREAD


class PartsOfSpeech(Tagging):
    """As tags of entities are found; a word that is not read has no part of speech."""

    unread = UNREAD
