"""Forward hooks that let adapter layers act at sites, and the plan that says which do."""

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.attaching.bank_sizes import BankSizes
from adaptkit.attaching.banked import BankedNetwork
from adaptkit.attaching.bound import BoundNetwork
from adaptkit.attaching.columns import Column
from adaptkit.attaching.cuda_graphs import CudaGraphs
from adaptkit.attaching.hooks import SiteHooks, outputs_of
from adaptkit.attaching.plan import BARE, Given, Plan, ReadIds, SiteLayer, plan_of, plan_of_layers
from adaptkit.attaching.replayed import Network, Record, ReplayedNetwork
from adaptkit.attaching.row_plans import RowGroups, RowPlan, plan_of_rows

__all__ = [
    "BARE",
    "AdapterLayers",
    "BankSizes",
    "BankedNetwork",
    "BoundNetwork",
    "Column",
    "CudaGraphs",
    "Given",
    "Network",
    "Plan",
    "ReadIds",
    "Record",
    "ReplayedNetwork",
    "RowGroups",
    "RowPlan",
    "SiteHooks",
    "SiteLayer",
    "outputs_of",
    "plan_of",
    "plan_of_layers",
    "plan_of_rows",
]
