"""Certificates on request: ``approving.py`` says yes to nodes, ``signing.py`` issues what was approved, ``cleaning.py``
clears away what nobody needs any more. ``requests.py`` reads a request and knows what each signer asks of it.
"""
