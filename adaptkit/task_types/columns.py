"""What the columns of texts are called in the tables of several task types."""

FIRST = ("premise", "prem", "sentence1", "sentence_a")
SECOND = ("hypothesis", "hyp", "sentence2", "sentence_b", "pair")
SHARED = {"language": ("language", "lang"), "group": ("genre", "group", "domain")}
"""Roles that every example may have."""
