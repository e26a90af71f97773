"""The messages of CSI (``csi.v1``) and of plugin registration, as rows for ``meta/protobuf/codec.py``.

Only fields that we use are here; numbers and names are those of the specification. Enums travel as ``int32``.
"""

from __future__ import annotations

from typing import Final

from pybernetes.node.runtime.messages import table

_ROWS: Final = """
InfoRequest:
PluginInfo: 1 type string; 2 name string; 3 endpoint string; 4 supported_versions string repeated
RegistrationStatus: 1 plugin_registered bool; 2 error string
RegistrationStatusResponse:

GetPluginInfoRequest:
GetPluginInfoResponse: 1 name string; 2 vendor_version string
GetPluginCapabilitiesRequest:
PluginService: 1 type int32
PluginCapability: 1 service PluginService
GetPluginCapabilitiesResponse: 1 capabilities PluginCapability repeated

BlockVolume:
MountVolume: 1 fs_type string; 2 mount_flags string repeated
AccessMode: 1 mode int32
VolumeCapability: 1 block BlockVolume; 2 mount MountVolume; 3 access_mode AccessMode
CapacityRange: 1 required_bytes int64; 2 limit_bytes int64
Topology: 1 segments map<string,string>
TopologyRequirement: 1 requisite Topology repeated; 2 preferred Topology repeated
Volume: 1 capacity_bytes int64; 2 volume_id string; 3 volume_context map<string,string>;\
 5 accessible_topology Topology repeated
Rpc: 1 type int32
Capability: 1 rpc Rpc

CreateVolumeRequest: 1 name string; 2 capacity_range CapacityRange; 3 volume_capabilities VolumeCapability repeated;\
 4 parameters map<string,string>; 5 secrets map<string,string>; 7 accessibility_requirements TopologyRequirement
CreateVolumeResponse: 1 volume Volume
DeleteVolumeRequest: 1 volume_id string; 2 secrets map<string,string>
DeleteVolumeResponse:
ControllerPublishVolumeRequest: 1 volume_id string; 2 node_id string; 3 volume_capability VolumeCapability;\
 4 readonly bool; 5 secrets map<string,string>; 6 volume_context map<string,string>
ControllerPublishVolumeResponse: 1 publish_context map<string,string>
ControllerUnpublishVolumeRequest: 1 volume_id string; 2 node_id string; 3 secrets map<string,string>
ControllerUnpublishVolumeResponse:
ControllerExpandVolumeRequest: 1 volume_id string; 2 capacity_range CapacityRange; 3 secrets map<string,string>;\
 4 volume_capability VolumeCapability
ControllerExpandVolumeResponse: 1 capacity_bytes int64; 2 node_expansion_required bool
ControllerGetCapabilitiesRequest:
ControllerGetCapabilitiesResponse: 1 capabilities Capability repeated

NodeStageVolumeRequest: 1 volume_id string; 2 publish_context map<string,string>; 3 staging_target_path string;\
 4 volume_capability VolumeCapability; 5 secrets map<string,string>; 6 volume_context map<string,string>
NodeStageVolumeResponse:
NodeUnstageVolumeRequest: 1 volume_id string; 2 staging_target_path string
NodeUnstageVolumeResponse:
NodePublishVolumeRequest: 1 volume_id string; 2 publish_context map<string,string>; 3 staging_target_path string;\
 4 target_path string; 5 volume_capability VolumeCapability; 6 readonly bool; 7 secrets map<string,string>;\
 8 volume_context map<string,string>
NodePublishVolumeResponse:
NodeUnpublishVolumeRequest: 1 volume_id string; 2 target_path string
NodeUnpublishVolumeResponse:
NodeExpandVolumeRequest: 1 volume_id string; 2 volume_path string; 3 capacity_range CapacityRange;\
 4 staging_target_path string; 5 volume_capability VolumeCapability
NodeExpandVolumeResponse: 1 capacity_bytes int64
NodeGetCapabilitiesRequest:
NodeGetCapabilitiesResponse: 1 capabilities Capability repeated
NodeGetInfoRequest:
NodeGetInfoResponse: 1 node_id string; 2 max_volumes_per_node int64; 3 accessible_topology Topology
"""

MESSAGES: Final = table(_ROWS)
"""Message name → rows of (number, name, type[, repeated])."""
