"""The cluster autoscaler, for groups of simulated nodes: switched on by a ConfigMap that names the groups.

``groups.py`` reads it, ``fit.py`` tries pods on nodes that are there or could be, ``row.py`` makes and removes nodes.
"""
