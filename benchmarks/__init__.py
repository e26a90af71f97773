"""Measurements of a running cluster, printed as tables beside upstream's figures. ``make bench`` runs all of them."""
