"""Storage: claims find volumes (``binder.py``), volumes are made and taken back, and both are kept while in use."""
