"""Many short trainings side by side on one device, each scored: what a text or an option is worth."""
