"""Alerts: what a rule may look at, when it is raised, and how that is said."""
