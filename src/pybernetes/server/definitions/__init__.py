"""CustomResourceDefinitions at work: what is defined is served, and goes with its definition.

Theory of operation. The server follows the stored definitions itself, since it is the server that they change.
``lifecycle.py`` gives each its names and conditions (pure: ``kinds/custom/acceptance.py``) and empties those that are
deleted; ``register.py`` puts the rows of what is established into the kind table and its schemas beside those of
built-in kinds. A row is in the table before a client can read that its definition is established.
"""
