"""Nodes that exist in the API only, in the manner of KWOK: pods on them become Running and end, nothing is executed.

``stages.py`` is the table of what happens to an object in which state; ``podstatus.py`` and ``nodestatus.py`` make the
statuses that it asks for, purely; ``nodes.py`` performs, ``leases.py`` keeps the nodes alive.
"""
