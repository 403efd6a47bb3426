"""The habits that a file holds, in as little memory as in the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from flight_delay.errors import BrokenArtifact
from flight_delay.model.means import MEANS
from flight_delay.model.network_state import Habit


class Habits(Sequence[Habit]):
    """Habits as columns: `numbers`, (habits, 4), and the value of the key that each is of.

    Raises `BrokenArtifact` where they do not fit together.
    """

    def __init__(self, numbers: NDArray[np.float64], values: Sequence[Any]) -> None:
        if numbers.shape != (len(values), 4) or not np.isfinite(numbers).all() or (numbers[:, 2] <= 0).any():
            raise BrokenArtifact("the habits are not finite numbers, four for each")
        if (~np.isin(numbers[:, 0], [n for n, mean in enumerate(MEANS) if mean.is_habit])).any():
            raise BrokenArtifact("a habit is of no mean that is one")
        self._numbers = numbers
        self._values = [tuple(value) if isinstance(value, list) else value for value in values]

    def __len__(self) -> int:
        return len(self._values)

    @overload
    def __getitem__(self, place: int) -> Habit: ...

    @overload
    def __getitem__(self, place: slice) -> list[Habit]: ...

    def __getitem__(self, place: int | slice) -> Habit | list[Habit]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        return _habit(self._numbers[place].tolist(), self._values[place])

    def __iter__(self) -> Iterator[Habit]:
        return map(_habit, self._numbers.tolist(), self._values)


def _habit(numbers: list[float], value: Any) -> Habit:
    number, mean, weight, minute = numbers
    return Habit(int(number), value, mean, weight, minute)
