"""Forward hooks that let adapter layers act at sites, and the plan that says which do."""

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.attaching.attached import AttachedLayers, ResolvedStack
from adaptkit.attaching.hooks import SiteHooks, recorded
from adaptkit.attaching.plan import BARE, Plan, SiteLayer, plan_of
from adaptkit.attaching.rows import RowGroups, RowPlan, plan_of_rows

__all__ = [
    "BARE",
    "AdapterLayers",
    "AttachedLayers",
    "Plan",
    "ResolvedStack",
    "RowGroups",
    "RowPlan",
    "SiteHooks",
    "SiteLayer",
    "plan_of",
    "plan_of_rows",
    "recorded",
]
