"""Measure a renderer on a portrait: does it show what the motion asked for, and nothing else?"""

from animate.evaluate.figures import Figure, table
from animate.evaluate.run import evaluate, report

__all__ = ["Figure", "evaluate", "report", "table"]
