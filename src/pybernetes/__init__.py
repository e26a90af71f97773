"""Kubernetes in one Python process: real kubectl drives it, real containers run on it."""

from typing import Final

__version__: Final = "0.1.0"
