"""A small dictionary for the Swahili of adaptkit's own sample."""

from adaptkit.data.lexicon import Lexicon

ENTRIES = (
    ("na", "and"),
    ("ya", "of"),
    ("kwa", "for"),
    ("maji", "water"),
    ("barabara", "road"),
    ("shule", "school"),
    ("mpira", "ball"),
    ("mpira", "football"),
    ("mwalimu", "teacher"),
    ("mvua", "rain"),
    ("pesa", "money"),
    ("siku", "day"),
    ("wiki", "week"),
    ("watoto", "children"),
    ("wa", "of"),
    ("la", "of"),
    ("ni", "is"),
    ("katika", "in"),
    ("kwenye", "at"),
    ("kila", "every"),
    ("kabla ya", "before"),
    ("kwa sababu", "because"),
)
LEXICON = Lexicon(ENTRIES, "sw_en.tsv")
