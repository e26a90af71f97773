"""What objects count for against quotas and limits: pure, and shared by those who refuse and those who keep count.

Neighbours: ``server/admission`` refuses what is too much, ``controllers/resourcequota.py`` keeps a quota's status true.
"""
