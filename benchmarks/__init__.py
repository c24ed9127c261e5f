"""Measurements, as ratios within one run. What does not belong here: anything that passes or fails."""
