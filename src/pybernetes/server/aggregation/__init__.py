"""Servers behind this one: groups that an APIService hands to a service of the cluster.

Theory of operation. The server follows the stored APIServices itself. What names a service is asked of it from the
moment it is stored (``proxy.py``); a watcher for each looks whether it answers, writes the condition ``Available`` and
keeps what the other server tells of itself, for discovery and documents (``remotes.py``, ``merged.py``). Groups that
this server answers have APIServices too, so that clients see all groups in one list (``local.py``).
Source: kube-aggregator.
"""
