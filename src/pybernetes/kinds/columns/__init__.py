"""Printer columns: what ``kubectl get`` shows of each kind (pkg/printers/internalversion/printers.go)."""
