"""Encryption at rest: what lies on the disk is sealed by a key of the user's, what is in memory is plain.

Theory of operation. An EncryptionConfiguration says which resources are sealed by which keys (``sealing.py``). The seam
is as near to the disk as can be: for the file it is the log of rows (``log.py``), so that all of the store above it
keeps plain bytes once and sealing happens in the thread that writes; for any other store it is a store around that one
(``store.py``). Source: apiserver/pkg/storage/value, apiserver/pkg/server/options/encryptionconfig.
"""
