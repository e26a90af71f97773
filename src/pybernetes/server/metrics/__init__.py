"""The metrics APIs: what nodes and pods use (``metrics.k8s.io``), and numbers of the user's own (``custom.`` and
``external.metrics.k8s.io``).

``usage.py`` reckons, ``collector.py`` asks the nodes, ``adapter.py`` finds the user's numbers, ``api.py`` answers.
"""
