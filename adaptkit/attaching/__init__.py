"""Forward hooks that let adapter layers act at sites, and the plan that says which do."""

from adaptkit.attaching.hooks import SiteHooks, recorded
from adaptkit.attaching.plan import BARE, Plan, SiteLayer, plan_of

__all__ = ["BARE", "Plan", "SiteHooks", "SiteLayer", "plan_of", "recorded"]
