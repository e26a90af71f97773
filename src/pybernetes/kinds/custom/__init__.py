"""Custom resources: from a CustomResourceDefinition to rows of the kind table, and what its schema means for objects.

Theory of operation. A definition is data, and so is what it defines: ``rows.py`` makes a ``Kind`` of each version,
whose ``Strategy`` defaults and judges by the version's structural schema. From there on a custom resource is like any
other; the server knows it by ``Kind.custom`` where upstream treats it otherwise (no protobuf, no strategic patches).
Files: ``structural.py`` (pruning, defaults), ``judge.py`` and ``formats.py`` (values), ``rules.py`` (CEL),
``published.py`` (OpenAPI), ``columns.py`` (printer columns), ``acceptance.py`` (names and conditions).
"""
