"""Run the command line: python -m animate.cli"""

import sys

from animate.cli.app import main

sys.exit(main())
