"""Many shots in one go: a list is checked, rendered by workers and finished by running it again."""

from animate.batch.run import run_batch
from animate.batch.shots import Shot, read_shots

__all__ = ["Shot", "read_shots", "run_batch"]
