"""The messages of the CRI (``runtime.v1``) and of containerd's event stream, as rows for ``meta/protobuf/codec.py``.

Only messages and fields that we use are here; numbers and names are upstream's. Enums travel as ``int32``,
``uint32`` and ``uint64`` as ``int64``, which has the same bytes for every value that occurs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

_ROWS: Final = """
VersionRequest: 1 version string
VersionResponse: 1 version string; 2 runtime_name string; 3 runtime_version string; 4 runtime_api_version string
StatusRequest: 1 verbose bool
StatusResponse: 1 status RuntimeStatus
RuntimeStatus: 1 conditions RuntimeCondition repeated
RuntimeCondition: 1 type string; 2 status bool; 3 reason string; 4 message string

DNSConfig: 1 servers string repeated; 2 searches string repeated; 3 options string repeated
PortMapping: 1 protocol int32; 2 container_port int32; 3 host_port int32; 4 host_ip string
Device: 1 container_path string; 2 host_path string; 3 permissions string
Mount: 1 container_path string; 2 host_path string; 3 readonly bool; 5 propagation int32
NamespaceOption: 1 network int32; 2 pid int32; 3 ipc int32; 4 target_id string
Int64Value: 1 value int64
UInt64Value: 1 value int64
SecurityProfile: 1 profile_type int32; 2 localhost_ref string
Capability: 1 add_capabilities string repeated; 2 drop_capabilities string repeated
KeyValue: 1 key string; 2 value raw

LinuxSandboxSecurityContext: 1 namespace_options NamespaceOption; 3 run_as_user Int64Value; 4 readonly_rootfs bool;\
 5 supplemental_groups int64 repeated; 6 privileged bool; 8 run_as_group Int64Value; 9 seccomp SecurityProfile
LinuxPodSandboxConfig: 1 cgroup_parent string; 2 security_context LinuxSandboxSecurityContext;\
 3 sysctls map<string,string>; 5 resources LinuxContainerResources
PodSandboxMetadata: 1 name string; 2 uid string; 3 namespace string; 4 attempt int64
PodSandboxConfig: 1 metadata PodSandboxMetadata; 2 hostname string; 3 log_directory string; 4 dns_config DNSConfig;\
 5 port_mappings PortMapping repeated; 6 labels map<string,string>; 7 annotations map<string,string>;\
 8 linux LinuxPodSandboxConfig
RunPodSandboxRequest: 1 config PodSandboxConfig; 2 runtime_handler string
RunPodSandboxResponse: 1 pod_sandbox_id string
StopPodSandboxRequest: 1 pod_sandbox_id string
StopPodSandboxResponse:
RemovePodSandboxRequest: 1 pod_sandbox_id string
RemovePodSandboxResponse:
PodSandboxStatusRequest: 1 pod_sandbox_id string; 2 verbose bool
PodIP: 1 ip string
PodSandboxNetworkStatus: 1 ip string; 2 additional_ips PodIP repeated
PodSandboxStatus: 1 id string; 2 metadata PodSandboxMetadata; 3 state int32; 4 created_at int64;\
 5 network PodSandboxNetworkStatus; 7 labels map<string,string>; 8 annotations map<string,string>
PodSandboxStatusResponse: 1 status PodSandboxStatus
PodSandboxFilter: 1 id string; 3 label_selector map<string,string>
ListPodSandboxRequest: 1 filter PodSandboxFilter
PodSandbox: 1 id string; 2 metadata PodSandboxMetadata; 3 state int32; 4 created_at int64;\
 5 labels map<string,string>; 6 annotations map<string,string>
ListPodSandboxResponse: 1 items PodSandbox repeated

ImageSpec: 1 image string; 18 user_specified_image string
LinuxContainerResources: 1 cpu_period int64; 2 cpu_quota int64; 3 cpu_shares int64; 4 memory_limit_in_bytes int64;\
 5 oom_score_adj int64; 6 cpuset_cpus string; 7 cpuset_mems string; 9 unified map<string,string>
LinuxContainerSecurityContext: 1 capabilities Capability; 2 privileged bool; 3 namespace_options NamespaceOption;\
 5 run_as_user Int64Value; 6 run_as_username string; 7 readonly_rootfs bool; 8 supplemental_groups int64 repeated;\
 11 no_new_privs bool; 12 run_as_group Int64Value; 13 masked_paths string repeated; 14 readonly_paths string repeated;\
 15 seccomp SecurityProfile
LinuxContainerConfig: 1 resources LinuxContainerResources; 2 security_context LinuxContainerSecurityContext
ContainerMetadata: 1 name string; 2 attempt int64
ContainerConfig: 1 metadata ContainerMetadata; 2 image ImageSpec; 3 command string repeated; 4 args string repeated;\
 5 working_dir string; 6 envs KeyValue repeated; 7 mounts Mount repeated; 9 labels map<string,string>;\
 8 devices Device repeated; 10 annotations map<string,string>; 11 log_path string; 12 stdin bool;\
 13 stdin_once bool; 14 tty bool; 15 linux LinuxContainerConfig
CreateContainerRequest: 1 pod_sandbox_id string; 2 config ContainerConfig; 3 sandbox_config PodSandboxConfig
CreateContainerResponse: 1 container_id string
StartContainerRequest: 1 container_id string
StartContainerResponse:
StopContainerRequest: 1 container_id string; 2 timeout int64
StopContainerResponse:
UpdateContainerResourcesRequest: 1 container_id string; 2 linux LinuxContainerResources
UpdateContainerResourcesResponse:
RemoveContainerRequest: 1 container_id string
RemoveContainerResponse:
ContainerFilter: 1 id string; 3 pod_sandbox_id string; 4 label_selector map<string,string>
ListContainersRequest: 1 filter ContainerFilter
Container: 1 id string; 2 pod_sandbox_id string; 3 metadata ContainerMetadata; 4 image ImageSpec; 5 image_ref string;\
 6 state int32; 7 created_at int64; 8 labels map<string,string>; 9 annotations map<string,string>
ListContainersResponse: 1 containers Container repeated
ContainerStatusRequest: 1 container_id string; 2 verbose bool
ContainerStatus: 1 id string; 2 metadata ContainerMetadata; 3 state int32; 4 created_at int64; 5 started_at int64;\
 6 finished_at int64; 7 exit_code int32; 8 image ImageSpec; 9 image_ref string; 10 reason string; 11 message string;\
 12 labels map<string,string>; 13 annotations map<string,string>; 15 log_path string
ContainerStatusResponse: 1 status ContainerStatus
ReopenContainerLogRequest: 1 container_id string
ReopenContainerLogResponse:

ExecSyncRequest: 1 container_id string; 2 cmd string repeated; 3 timeout int64
ExecSyncResponse: 1 stdout raw; 2 stderr raw; 3 exit_code int32
ExecRequest: 1 container_id string; 2 cmd string repeated; 3 tty bool; 4 stdin bool; 5 stdout bool; 6 stderr bool
ExecResponse: 1 url string
AttachRequest: 1 container_id string; 2 stdin bool; 3 tty bool; 4 stdout bool; 5 stderr bool
AttachResponse: 1 url string
PortForwardRequest: 1 pod_sandbox_id string; 2 port int32 repeated
PortForwardResponse: 1 url string

Image: 1 id string; 2 repo_tags string repeated; 3 repo_digests string repeated; 4 size int64; 5 uid Int64Value;\
 6 username string
ListImagesRequest:
ListImagesResponse: 1 images Image repeated
ImageStatusRequest: 1 image ImageSpec; 2 verbose bool
ImageStatusResponse: 1 image Image
AuthConfig: 1 username string; 2 password string; 3 auth string; 4 server_address string; 5 identity_token string;\
 6 registry_token string
PullImageRequest: 1 image ImageSpec; 2 auth AuthConfig; 3 sandbox_config PodSandboxConfig
PullImageResponse: 1 image_ref string
RemoveImageRequest: 1 image ImageSpec
RemoveImageResponse:

ListContainerStatsRequest:
ListContainerStatsResponse: 1 stats ContainerStats repeated
ContainerAttributes: 1 id string; 2 metadata ContainerMetadata; 3 labels map<string,string>
ContainerStats: 1 attributes ContainerAttributes; 2 cpu CpuUsage; 3 memory MemoryUsage;\
 4 writable_layer FilesystemUsage
CpuUsage: 1 timestamp int64; 2 usage_core_nano_seconds UInt64Value
MemoryUsage: 1 timestamp int64; 2 working_set_bytes UInt64Value; 4 usage_bytes UInt64Value; 5 rss_bytes UInt64Value
FilesystemUsage: 1 timestamp int64; 3 used_bytes UInt64Value

SubscribeRequest: 1 filters string repeated
Envelope: 2 namespace string; 3 topic string; 4 event Any
Any: 1 type_url string; 2 value raw
TaskDelete: 1 container_id string
"""


def _row(text: str) -> list[Any]:
    number, name, kind, *word = text.split()
    return [int(number), name, kind, *word]


def table(rows: str) -> dict[str, Sequence[Sequence[Any]]]:
    """Message name → rows of a text with a message a line: ``Name: 1 field type; 2 other type repeated``."""
    messages: dict[str, Sequence[Sequence[Any]]] = {}
    for line in filter(None, rows.splitlines()):
        message, _, fields = line.partition(":")
        messages[message] = [_row(f) for f in fields.split(";") if f.strip()]
    return messages


MESSAGES: Final = table(_ROWS)
"""Message name → rows of (number, name, type[, repeated])."""
