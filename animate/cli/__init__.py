"""The command line, `animate-portrait`: `app` has the parser, the other modules the commands by task."""

from animate.cli.app import main

__all__ = ["main"]
