"""YAML as Kubernetes reads it (sigs.k8s.io/yaml): the JSON types and nothing more.

Rule: dates stay texts, ``12:30`` is a text and not a number of base 60, keys become texts, as they are in JSON.
"""

from __future__ import annotations

import functools
import re
from typing import Any, Final

_INT: Final = re.compile(r"^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+)$")
_FLOAT: Final = re.compile(
    r"^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
    r"|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)


class ManifestError(ValueError):
    """The text is not YAML; the message says where."""


def loads(text: bytes | str) -> Any:
    """The first document as JSON values; None for an empty one. Raises ManifestError."""
    import yaml

    try:
        return _json(yaml.load(text, Loader=_loader()))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ManifestError(" ".join(str(error).split())) from error


def loads_all(text: bytes | str) -> list[Any]:
    """Every document that is not empty, in order. Raises ManifestError."""
    import yaml

    try:
        return [_json(document) for document in yaml.load_all(text, Loader=_loader()) if document is not None]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ManifestError(" ".join(str(error).split())) from error


def dumps(value: Any) -> str:
    """JSON values as YAML, keys sorted as Kubernetes' tools print them."""
    import yaml

    text: str = yaml.dump(value, Dumper=_dumper(), default_flow_style=False, allow_unicode=True, width=10**6)
    return text


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {_key(k): _json(v) for k, v in value.items()}
    return [_json(v) for v in value] if isinstance(value, list) else value


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if not isinstance(key, str | int | float):
        raise ManifestError(f"a key must be a text, not {key!r}")
    return str(key)


@functools.cache
def _loader() -> Any:
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc]  # the class is chosen while running
        """Resolves what JSON knows."""

    replaced = {"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in rows if tag not in replaced]
        for first, rows in base.yaml_implicit_resolvers.items()
    }
    Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INT, list("-+0123456789"))
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789."))
    return Loader


@functools.cache
def _dumper() -> Any:
    import yaml

    base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

    class Dumper(base):  # type: ignore[misc]  # the class is chosen while running
        """Writes shared values out in full: no anchors."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    return Dumper
