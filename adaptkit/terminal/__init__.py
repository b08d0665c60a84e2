"""Texts as a terminal shows them."""
