"""One measured figure and its bar, and a table of them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One thing that was measured.

    Attributes
    ----------
    name : str
    value : float
    unit : str
    bar : float
        The most that is good, or the least where `at_least`.
    at_least : bool
    note : str
        Where the worst value was seen.
    """

    name: str
    value: float
    unit: str
    bar: float
    at_least: bool = False
    note: str = ""

    @property
    def good(self) -> bool:
        """Whether the value keeps the bar."""
        return self.value >= self.bar if self.at_least else self.value <= self.bar

    def __str__(self) -> str:
        return f"{self.name} {self.value:.4g} {self.unit}"


def table(figures: list[Figure]) -> str:
    """Return the figures as lines of text: good or not, name, value, bar and note.

    Examples
    --------
    >>> print(table([Figure("lip gap", 2.04, "% of eye distance", 3.0)]))
    ok    lip gap                       2.04 (at most 3) % of eye distance
    """
    return "\n".join(
        f"{'ok  ' if figure.good else 'MISS'}  {figure.name:26}{figure.value:8.4g} "
        f"({'at least' if figure.at_least else 'at most'} {figure.bar:g}) {figure.unit}"
        + (f"  [{figure.note}]" if figure.note else "")
        for figure in figures
    )
