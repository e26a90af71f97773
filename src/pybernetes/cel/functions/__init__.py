"""Function libraries: CEL's own and those that Kubernetes adds, each a table of rows."""
