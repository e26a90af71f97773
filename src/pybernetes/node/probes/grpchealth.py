"""The ``grpc`` probe: health v1 (``grpc.health.v1.Health/Check``) on a channel of its own, in the kubelet's words."""

from __future__ import annotations

from typing import Final

from pybernetes.meta.protobuf.codec import Codec
from pybernetes.node.probes import networds
from pybernetes.node.probes.rule import Outcome

_MESSAGES: Final = {
    "HealthCheckRequest": ((1, "service", "string"),),
    "HealthCheckResponse": ((1, "status", "int32"),),
}
_STATES: Final = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
_SERVING: Final = 1
_codec = Codec(_MESSAGES)


async def check(host: str, port: int, service: str, seconds: float) -> Outcome:
    """Ask a server for the health of a service ("" is the server's own)."""
    import grpc  # only who has such a probe pays for it
    from grpc import aio

    where = networds.address(host, port)
    async with aio.insecure_channel(where, options=(("grpc.primary_user_agent", "kube-probe/1.36"),)) as channel:
        call = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=lambda request: _codec.encode("HealthCheckRequest", request),
            response_deserializer=lambda data: _codec.decode("HealthCheckResponse", data),
        )
        try:
            answer = await call({"service": service}, timeout=seconds)
        except grpc.RpcError as error:
            return Outcome(False, _told(error.code().name, error.details() or "", where, seconds))
    state = answer.get("status", 0)
    if state == _SERVING:
        return Outcome(True, "service healthy")
    name = _STATES[state] if 0 <= state < len(_STATES) else str(state)
    return Outcome(False, f'service unhealthy (responded with "{name}")')


def _told(code: str, details: str, where: str, seconds: float) -> str:
    within = networds.duration(seconds)
    if code == "UNAVAILABLE":
        return f'timeout: failed to connect service "{where}" within {within}: context deadline exceeded'
    if code == "DEADLINE_EXCEEDED":
        return f"timeout: health rpc did not complete within {within}"
    if code == "UNIMPLEMENTED":
        return f"error: this server does not implement the grpc health protocol (grpc.health.v1.Health): {details}"
    return f"error: health rpc probe failed: {''.join(word.capitalize() for word in code.split('_'))}"
