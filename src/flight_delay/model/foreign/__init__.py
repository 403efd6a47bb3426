"""From a fitted regressor of scikit-learn or LightGBM to a `PointModel`; only a confined process needs it."""

from flight_delay.model.foreign.check import check
from flight_delay.model.foreign.conversion import check_version, convert

__all__ = ["check", "check_version", "convert"]
