"""Forward hooks that let adapter layers act at sites, and the plan that says which do."""

from adaptkit.attaching.hooks import Plan, SiteHooks, SiteLayer

__all__ = ["Plan", "SiteHooks", "SiteLayer"]
