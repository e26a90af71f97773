"""Why is it as it is? Explanations of what a cluster's objects say, with the smallest change that would help.

Rule: explaining is pure: it reads ``Facts``, objects that ``ask.py`` has fetched. What the scheduler would decide is
asked of the scheduler itself, on a snapshot of these objects.
Start reading at ``table.py``: one row for each kind that can be asked about.
"""
