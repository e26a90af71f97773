"""Garbage collection: what is owned goes after its owners, before them, or is set free.

Theory of operation. The caches of all kinds, by owner uid, are the graph; there is no other. A key names an *owner*,
which may exist or not: an object that is deleted, that waits for its dependents, or that a dependent names in vain.
The plan for an owner decides about all its dependents at once. That an owner is gone is asked of the API before
anything dies of it, and a dependent is deleted only as it was seen (uid and resourceVersion), since it may have been
set free a moment ago.
Files: ``owners.py`` reads owner references, ``dependents.py`` decides about one dependent, ``plan.py`` about an
owner, ``row.py`` is the controller.
"""
