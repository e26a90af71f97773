"""StatefulSets: pods with a name, a place in the row, and claims of their own (pkg/controller/statefulset).

``sync.py`` is the plan; ``view.py`` is what it looks at: the row of ordinals, and the pods in it and beyond it.
``placing.py`` fills the row and empties what is beyond, ``rolling.py`` brings a new template to it, ``identity.py``
makes a pod, ``claims.py`` its claims, and ``status.py`` tells of it all.
"""
