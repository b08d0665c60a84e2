"""Training plans: many adapters, one process a device, resumed where they were."""

from adaptkit.plans.run import changed_since, estimate_plan, require_agreed, train_plan
from adaptkit.plans.summary import PlanSummary

__all__ = ["PlanSummary", "changed_since", "estimate_plan", "require_agreed", "train_plan"]
