"""Training plans: many adapters, one process a device, resumed where they were."""

from adaptkit.plans.run import estimate_plan, train_plan
from adaptkit.plans.summary import PlanSummary

__all__ = ["PlanSummary", "estimate_plan", "train_plan"]
