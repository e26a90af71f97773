"""Deployments: rolling from one ReplicaSet to the next (pkg/controller/deployment).

``sync.py`` is the plan; ``draft.py`` is what it thinks in: the ReplicaSets as they shall become. ``revision.py`` finds
and makes the new ReplicaSet and keeps the history, ``rolling.py`` and ``recreate.py`` are the two strategies,
``scaling.py`` spreads a changed size over several ReplicaSets, ``amounts.py`` computes surge and unavailability and
``status.py`` tells of it all.
"""
