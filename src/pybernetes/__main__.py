"""``python -m pybernetes``: the same as the ``pybernetes`` command."""

import sys

from pybernetes.cli.main import main

sys.exit(main())
