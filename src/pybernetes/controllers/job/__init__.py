"""Jobs: pods that run to their end, so many times (pkg/controller/job).

``sync.py`` is the plan; ``view.py`` is what it looks at. ``tracking.py`` counts every ended pod exactly once, with the
help of a finalizer on each; ``ending.py`` says when the Job itself ends, and why; ``manage.py`` makes and removes pods,
as ``backoff.py`` allows. ``indexes.py``, ``indexed.py`` and ``policies.py`` know about indexes and the policies for
failure and success; ``jobpod.py`` makes a pod. ``orphans.py`` is a row of its own: it lets go of the pods of Jobs that
are gone.
"""
