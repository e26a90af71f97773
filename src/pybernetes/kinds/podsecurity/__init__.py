"""Pod Security Standards: what the profiles ``baseline`` and ``restricted`` forbid a pod (pod-security-admission).

Neighbours: ``server/admission/podsecurity.py`` reads a namespace's labels and refuses or warns.
"""
