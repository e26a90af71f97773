"""The HorizontalPodAutoscaler: ``row.py`` asks and writes, ``metrics.py`` knows where a metric's numbers are,
``calculator.py`` makes replicas of numbers, ``limits.py`` holds them to bounds and rates, ``memory.py`` remembers.
"""
