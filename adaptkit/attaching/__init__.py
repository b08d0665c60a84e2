"""Forward hooks that let adapter layers act at sites, and the plan that says which do."""

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.attaching.bank_needs import BankNeeds
from adaptkit.attaching.bank_sizes import BankSizes
from adaptkit.attaching.banked import BankedNetwork
from adaptkit.attaching.blanks import Blanks
from adaptkit.attaching.bound import BoundNetwork
from adaptkit.attaching.bound_blocks import BoundBlocks
from adaptkit.attaching.columns import Column
from adaptkit.attaching.cuda_graphs import CudaGraphs, CudaSteps
from adaptkit.attaching.hooks import SiteHooks, outputs_of
from adaptkit.attaching.plan import BARE, Given, Plan, ReadIds, SiteLayer, plan_of, plan_of_layers
from adaptkit.attaching.recorded_steps import RecordedSteps, RecordStep, StepRecording
from adaptkit.attaching.replayed import Network, Record, ReplayedNetwork
from adaptkit.attaching.row_plans import RowGroups, RowPlan, plan_of_rows

__all__ = [
    "BARE",
    "AdapterLayers",
    "BankNeeds",
    "BankSizes",
    "BankedNetwork",
    "Blanks",
    "BoundBlocks",
    "BoundNetwork",
    "Column",
    "CudaGraphs",
    "CudaSteps",
    "Given",
    "Network",
    "Plan",
    "ReadIds",
    "Record",
    "RecordStep",
    "RecordedSteps",
    "ReplayedNetwork",
    "RowGroups",
    "RowPlan",
    "SiteHooks",
    "SiteLayer",
    "StepRecording",
    "outputs_of",
    "plan_of",
    "plan_of_layers",
    "plan_of_rows",
]
