"""Arrays by deployment: what every room of the forecast keeps, and how its rows come and go."""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Array = npt.NDArray[Any]


@dataclass
class Room:
    """State of one part of the forecast. The first axis of each of its arrays is the deployment."""

    def arrays(self) -> dict[str, Array]:
        """The arrays by name: all of the state there is."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}

    def take(self, kept: Ints, cold: Self) -> None:
        """Keep these rows, in this order, and append the rows of `cold`."""
        new = cold.arrays()
        for name, value in self.arrays().items():
            setattr(self, name, np.concatenate([value[kept], new[name]]))

    def put(self, rows: Ints, source: dict[str, Array], source_rows: Ints) -> None:
        """Overwrite rows with rows of saved arrays of the same names and shapes."""
        for name, value in self.arrays().items():
            value[rows] = source[name][source_rows]
