"""The audit log: who asked what, when, and what became of it, as far as a policy wants to know.

Rule: without a policy nothing of this runs. ``policy.py`` decides how much is told of a request, ``event.py`` makes the
events, ``trail.py`` is the link of the chain, ``file.py`` the log. Source: apiserver/pkg/audit.
"""
