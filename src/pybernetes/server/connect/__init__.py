"""What leads through the API server to something behind it: logs, exec, attach, port-forward and the proxies.

Rule: authorization has been; here it is found out where to, and then bytes pass. Nothing of the protocols spoken inside
is understood, except that a refusal of a node's agent becomes a Status.
Neighbours: ``connector.py`` is the table, ``pods.py`` and ``proxy.py`` its entries, ``kubelets.py`` the way to nodes.
"""

from pybernetes.server.connect.connector import Connector

__all__ = ["Connector"]
