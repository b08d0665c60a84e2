"""A zoo as one page for people: what each adapter is for, what it gains, and how it is loaded."""

from adaptkit.gallery.page import gallery_page, gallery_part, is_gallery_page

__all__ = ["gallery_page", "gallery_part", "is_gallery_page"]
