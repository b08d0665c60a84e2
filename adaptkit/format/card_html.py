"""A card in short, as a notebook shows it."""

from adaptkit.format.card import Card
from adaptkit.pages.template import filled


def card_html(title: str, card: Card) -> str:
    """A piece of HTML: title, text, licence, and the scores without and with the adapter."""
    return filled("html line", "adaptkit.format", "card.html.jinja", title=title, card=card)
