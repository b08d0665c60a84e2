"""The documentation site: pages of the repository, and pages made from its code, its results and its zoo."""
