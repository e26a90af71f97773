"""The messages of etcd's v3 API (``etcdserverpb``), as rows for ``meta/protobuf/codec.py``.

Only messages and fields that we use are here; numbers and names are etcd's. Enums travel as ``int32``. Members of a
``oneof`` are ordinary fields: whoever writes a message fills one of them.
"""

from __future__ import annotations

from typing import Final

from pybernetes.meta.protobuf.codec import Messages

EQUAL: Final = 0
GREATER: Final = 1
"""How a ``Compare`` compares."""
CREATE: Final = 1
MOD: Final = 2
"""What it compares: the revision of a key's creation, or of its last change; both are 0 for a key that is not there."""
DELETED: Final = 1
"""The ``type`` of an ``Event`` that removed its key."""

MESSAGES: Final[Messages] = {
    "ResponseHeader": [[3, "revision", "int64"]],
    "KeyValue": [
        [1, "key", "raw"], [2, "create_revision", "int64"], [3, "mod_revision", "int64"], [5, "value", "raw"],
    ],
    "RangeRequest": [[1, "key", "raw"], [2, "range_end", "raw"], [3, "limit", "int64"], [4, "revision", "int64"]],
    "RangeResponse": [[1, "header", "ResponseHeader"], [2, "kvs", "KeyValue", "repeated"], [4, "count", "int64"]],
    "PutRequest": [[1, "key", "raw"], [2, "value", "raw"]],
    "DeleteRangeRequest": [[1, "key", "raw"]],
    "RequestOp": [
        [1, "request_range", "RangeRequest"], [2, "request_put", "PutRequest"],
        [3, "request_delete_range", "DeleteRangeRequest"],
    ],
    "ResponseOp": [[1, "response_range", "RangeResponse"]],
    "Compare": [
        [1, "result", "int32"], [2, "target", "int32"], [3, "key", "raw"],
        [5, "create_revision", "int64"], [6, "mod_revision", "int64"],
    ],
    "TxnRequest": [
        [1, "compare", "Compare", "repeated"], [2, "success", "RequestOp", "repeated"],
        [3, "failure", "RequestOp", "repeated"],
    ],
    "TxnResponse": [
        [1, "header", "ResponseHeader"], [2, "succeeded", "bool"], [3, "responses", "ResponseOp", "repeated"],
    ],
    "CompactionRequest": [[1, "revision", "int64"]],
    "CompactionResponse": [[1, "header", "ResponseHeader"]],
    "WatchCreateRequest": [
        [1, "key", "raw"], [2, "range_end", "raw"], [3, "start_revision", "int64"], [6, "prev_kv", "bool"],
    ],
    "WatchRequest": [[1, "create_request", "WatchCreateRequest"]],
    "Event": [[1, "type", "int32"], [2, "kv", "KeyValue"], [3, "prev_kv", "KeyValue"]],
    "WatchResponse": [
        [1, "header", "ResponseHeader"], [4, "canceled", "bool"], [5, "compact_revision", "int64"],
        [6, "cancel_reason", "string"], [11, "events", "Event", "repeated"],
    ],
}  # fmt: skip
"""Message name → rows of (number, name, type[, repeated])."""
