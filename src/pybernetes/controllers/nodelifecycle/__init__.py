"""Nodes that fall silent, and what becomes of their pods.

``health.py`` judges by signs of life, ``taints.py`` says what a node's conditions mean for pods, ``row.py`` writes both
down, ``eviction.py`` ends the pods that do not tolerate it.
"""
