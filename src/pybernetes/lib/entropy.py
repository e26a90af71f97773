"""The only home of chance: uids, name suffixes, jitter, keys of one's own.

``SeededEntropy`` gives the same run twice, which is what a simulation needs.
"""

from __future__ import annotations

import os
import random
import uuid
from typing import Final, Protocol

# apimachinery/pkg/util/rand: no vowels and no look-alikes, so that no suffix spells a word.
SUFFIX_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"


class Entropy(Protocol):
    def uid(self) -> str:
        """A random UUID, as metadata.uid wants it."""
        ...

    def suffix(self, length: int = 5) -> str:
        """A name suffix in upstream's alphabet, as generateName appends it."""
        ...

    def token(self, length: int) -> bytes: ...

    def uniform(self, low: float, high: float) -> float: ...


class SystemEntropy:
    """Chance from the operating system."""

    def __init__(self) -> None:
        self._random = random.Random(os.urandom(16))

    def uid(self) -> str:
        return str(uuid.uuid4())

    def suffix(self, length: int = 5) -> str:
        return "".join(self._random.choices(SUFFIX_ALPHABET, k=length))

    def token(self, length: int) -> bytes:
        return os.urandom(length)

    def uniform(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)


class SeededEntropy:
    """Chance that repeats: the same seed gives the same uids, names and jitter."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def uid(self) -> str:
        return str(uuid.UUID(bytes=self._random.randbytes(16), version=4))

    def suffix(self, length: int = 5) -> str:
        return "".join(self._random.choices(SUFFIX_ALPHABET, k=length))

    def token(self, length: int) -> bytes:
        return self._random.randbytes(length)

    def uniform(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)
