"""DaemonSets: one pod on every node that is eligible (pkg/controller/daemon).

``sync.py`` is the plan; ``view.py`` is what it looks at: the nodes, and which pods are meant for which. ``placing.py``
makes what is missing and deletes what is too much, ``rolling.py`` brings a new template to the nodes, ``daemonpod.py``
makes a pod, and ``status.py`` tells of it all.
"""
