"""Forward hooks that let adapter layers act at sites, and the plan that says which do."""

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.attaching.bound import BoundNetwork
from adaptkit.attaching.hooks import SiteHooks, outputs_of
from adaptkit.attaching.plan import BARE, Given, Plan, ReadIds, SiteLayer, plan_of, plan_of_layers
from adaptkit.attaching.row_plans import RowGroups, RowPlan, plan_of_rows

__all__ = [
    "BARE",
    "AdapterLayers",
    "BoundNetwork",
    "Given",
    "Plan",
    "ReadIds",
    "RowGroups",
    "RowPlan",
    "SiteHooks",
    "SiteLayer",
    "outputs_of",
    "plan_of",
    "plan_of_layers",
    "plan_of_rows",
]
