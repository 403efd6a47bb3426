import numpy as np
from numpy.typing import NDArray

class Ensemble:
    def __init__(
        self,
        lines: NDArray[np.uint32],
        places: NDArray[np.uint32],
        leaves: NDArray[np.float64],
        thresholds: NDArray[np.float64],
        threshold_counts: NDArray[np.int64],
        categories: NDArray[np.int64],
        heads: NDArray[np.int64],
        /,
    ) -> None: ...
    def predict(self, values: list[float], heads: int, /) -> list[float]: ...
    def predict_many(self, values: NDArray[np.float64], sums: NDArray[np.float64], heads: int, /) -> None: ...
