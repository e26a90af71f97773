"""Disruption budgets: how many pods may go at a time. ``counts.py`` counts, ``owners.py`` knows how many there should
be, ``row.py`` tells it in the budget's status, by which the eviction subresource decides.
"""
