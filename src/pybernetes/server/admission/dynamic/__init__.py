"""What a cluster's users add to admission themselves: webhooks, and policies in CEL.

Theory of operation. ``webhooks.py`` and ``policies.py`` compile the objects in which users say what they want, once per
change. For a write, ``matching.py`` finds what concerns it and in which version's form it is to be shown;
``question.py`` is the write in that form. ``mutating.py`` and ``validating.py`` ask webhooks, ``policymutating.py`` and
``policyvalidating.py`` evaluate policies.
Rule: the objects that say what is intercepted are never intercepted themselves, or a mistake could not be undone.
"""
