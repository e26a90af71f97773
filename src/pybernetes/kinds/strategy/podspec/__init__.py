"""The pod spec, alike in pods and in every template that makes pods.

``defaults.py`` fills it in, ``spec.py`` judges it as a whole and hands its parts to ``containers``, ``env``,
``handlers``, ``resources``, ``volumes``, ``scheduling`` and ``security``.
"""
