"""Masks laid out by lines: of each bin, where the masks of 16 trees at a time are.

From one bin of a feature to the next only those trees change that are split between them, so most lines are those
of the bin before, and are kept once: a third of the memory, and what is looked up is more often near.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

LINE = 16
"""Masks of 4 bytes: 64 bytes are what processors fetch at once."""
_NOTHING_RULED_OUT = np.uint32(np.iinfo(np.uint32).max)


class Lines(NamedTuple):
    """Masks, (bins, trees), in less room.

    Attributes
    ----------
    lines : (lines, 16), uint32
    places : (bins, trees / 16 rounded up), uint32
        Which line each bin has for each 16 trees.
    """

    lines: NDArray[np.uint32]
    places: NDArray[np.uint32]

    @classmethod
    def of(cls, masks: NDArray[np.uint32]) -> Lines:
        """Lay masks out by lines."""
        bins, trees = masks.shape
        blocks = -(-trees // LINE)
        whole = np.full((bins, blocks * LINE), _NOTHING_RULED_OUT, np.uint32)
        whole[:, :trees] = masks
        by_block = whole.reshape(bins, blocks, LINE)
        is_new = np.ones((bins, blocks), np.bool_)
        is_new[1:] = (by_block[1:] != by_block[:-1]).any(axis=2)
        places = np.cumsum(is_new.T).reshape(blocks, bins).T - 1
        lines = by_block.transpose(1, 0, 2)[is_new.T]
        return cls(np.ascontiguousarray(lines), np.ascontiguousarray(places, np.uint32))

    def masks(self, trees: int) -> NDArray[np.uint32]:
        """Return the masks again, of so many trees."""
        return np.ascontiguousarray(self.lines[self.places].reshape(len(self.places), -1)[:, :trees])

    def at(self, bins: NDArray[np.int64], trees: NDArray[np.integer[Any]]) -> NDArray[np.uint32]:
        """Return the masks of some bins, each of one tree."""
        found: NDArray[np.uint32] = self.lines[self.places[bins, trees // LINE], trees % LINE]
        return found
