//! The directives of systemd 252 and fleet, by section and form.
//!
//! In: nothing. Out: one table, taken from systemd's own list of its
//! configuration items; settings that many sections share are listed once.
//!
//! It must not know what the forms mean.

use crate::directive::Form;
use crate::directive::index::{self, Sections};

/// Directives of one form.
type Row = index::Row<Form>;

/// The sections and the groups of directives they take.
pub(super) const SECTIONS: &Sections<Form> = &[
    ("Unit", &[UNIT]),
    ("Service", &[SERVICE, OBSOLETE, EXEC, KILL, CGROUP]),
    ("Socket", &[SOCKET, EXEC, KILL, CGROUP]),
    ("Timer", &[TIMER]),
    ("Path", &[PATH]),
    ("Mount", &[MOUNT, EXEC, KILL, CGROUP]),
    ("Automount", &[AUTOMOUNT]),
    ("Swap", &[SWAP, EXEC, KILL, CGROUP]),
    ("Slice", &[CGROUP]),
    ("Scope", &[SCOPE, KILL, CGROUP]),
    ("Install", &[INSTALL]),
    ("X-Fleet", &[FLEET]),
];

const EXEC: &[Row] = &[
    (
        Form::Other,
        "WorkingDirectory RootHash RootHashSignature Nice OOMScoreAdjust CoredumpFilter \
         IOSchedulingClass IOSchedulingPriority CPUSchedulingPolicy CPUSchedulingPriority \
         NUMAPolicy StandardInput StandardOutput StandardError TimerSlackNSec TTYRows TTYColumns SyslogFacility \
         SyslogLevel LogLevelMax KeyringMode ProtectProc ProcSubset SystemCallErrorNumber \
         LogNamespace ProtectSystem ProtectHome MountFlags MountAPIVFS Personality \
         RuntimeDirectoryPreserve UtmpMode SELinuxContext AppArmorProfile SmackProcessLabel",
    ),
    (
        Form::Path,
        "RootDirectory RootImage RootVerity TTYPath NetworkNamespacePath IPCNamespacePath",
    ),
    (
        Form::List,
        "RootImageOptions ExtensionDirectories ExtensionImages MountImages CPUAffinity NUMAMask \
         PassEnvironment UnsetEnvironment StandardInputText StandardInputData LogExtraFields \
         SecureBits CapabilityBoundingSet AmbientCapabilities SystemCallFilter \
         SystemCallArchitectures SystemCallLog RestrictNamespaces RestrictAddressFamilies \
         RestrictFileSystems ReadWriteDirectories ReadOnlyDirectories InaccessibleDirectories \
         ReadWritePaths ReadOnlyPaths InaccessiblePaths ExecPaths NoExecPaths ExecSearchPath \
         BindPaths BindReadOnlyPaths TemporaryFileSystem RuntimeDirectory StateDirectory \
         CacheDirectory LogsDirectory ConfigurationDirectory SetCredential SetCredentialEncrypted \
         LoadCredential LoadCredentialEncrypted",
    ),
    (Form::Account, "User Group"),
    (Form::Accounts, "SupplementaryGroups"),
    (
        Form::Flag,
        "CPUSchedulingResetOnFork DynamicUser RemoveIPC TTYReset TTYVHangup TTYVTDisallocate \
         SyslogLevelPrefix NoNewPrivileges MemoryDenyWriteExecute RestrictRealtime \
         RestrictSUIDSGID LockPersonality PrivateTmp PrivateDevices ProtectKernelTunables \
         ProtectKernelModules ProtectKernelLogs ProtectClock ProtectControlGroups PrivateNetwork \
         PrivateUsers PrivateMounts PrivateIPC IgnoreSIGPIPE ProtectHostname",
    ),
    (
        Form::Mode,
        "UMask RuntimeDirectoryMode StateDirectoryMode CacheDirectoryMode LogsDirectoryMode \
         ConfigurationDirectoryMode",
    ),
    (Form::Environment, "Environment"),
    (Form::EnvironmentFile, "EnvironmentFile"),
    (Form::Text, "SyslogIdentifier PAMName UtmpIdentifier"),
    (Form::Span, "LogRateLimitIntervalSec TimeoutCleanSec"),
    (Form::Count, "LogRateLimitBurst"),
    (
        Form::Limit,
        "LimitCPU LimitFSIZE LimitDATA LimitSTACK LimitCORE LimitRSS LimitNOFILE LimitAS \
         LimitNPROC LimitMEMLOCK LimitLOCKS LimitSIGPENDING LimitMSGQUEUE LimitNICE LimitRTPRIO \
         LimitRTTIME",
    ),
];

const KILL: &[Row] = &[
    (Form::Flag, "SendSIGKILL SendSIGHUP"),
    (Form::KillMode, "KillMode"),
    (
        Form::Signal,
        "KillSignal RestartKillSignal FinalKillSignal WatchdogSignal",
    ),
];

const CGROUP: &[Row] = &[
    (Form::Other, "Slice"),
    (
        Form::List,
        "AllowedCPUs StartupAllowedCPUs AllowedMemoryNodes StartupAllowedMemoryNodes DeviceAllow \
         IODeviceWeight IOReadBandwidthMax IOWriteBandwidthMax IOReadIOPSMax IOWriteIOPSMax \
         IODeviceLatencyTargetSec BlockIODeviceWeight BlockIOReadBandwidth BlockIOWriteBandwidth \
         Delegate DisableControllers IPAddressAllow IPAddressDeny IPIngressFilterPath \
         IPEgressFilterPath BPFProgram SocketBindAllow SocketBindDeny RestrictNetworkInterfaces",
    ),
    (
        Form::Flag,
        "CPUAccounting MemoryAccounting IOAccounting BlockIOAccounting TasksAccounting \
         IPAccounting",
    ),
    (
        Form::Other,
        "CPUWeight StartupCPUWeight CPUShares StartupCPUShares CPUQuota DevicePolicy IOWeight \
         StartupIOWeight BlockIOWeight StartupBlockIOWeight TasksMax ManagedOOMSwap \
         ManagedOOMMemoryPressure ManagedOOMMemoryPressureLimit ManagedOOMPreference",
    ),
    (Form::Span, "CPUQuotaPeriodSec"),
    (
        Form::Size,
        "MemoryMin DefaultMemoryMin DefaultMemoryLow MemoryLow MemoryHigh MemoryMax MemorySwapMax \
         MemoryLimit",
    ),
];

const UNIT: &[Row] = &[
    (
        Form::Text,
        "Description JobTimeoutRebootArgument RebootArgument",
    ),
    (Form::Links, "Documentation"),
    (Form::Path, "SourcePath"),
    (
        Form::Units,
        "Requires Requisite Wants BindsTo BindTo Upholds Conflicts Before After OnSuccess \
         OnFailure PropagatesReloadTo PropagateReloadTo ReloadPropagatedFrom PropagateReloadFrom \
         PropagatesStopTo StopPropagatedFrom PartOf JoinsNamespaceOf RequiresOverridable \
         RequisiteOverridable",
    ),
    (Form::Mounts, "RequiresMountsFor"),
    (
        Form::Flag,
        "StopWhenUnneeded RefuseManualStart RefuseManualStop AllowIsolate DefaultDependencies \
         IgnoreOnIsolate OnFailureIsolate",
    ),
    (Form::Other, "OnSuccessJobMode OnFailureJobMode CollectMode"),
    (
        Form::Span,
        "JobTimeoutSec JobRunningTimeoutSec StartLimitIntervalSec StartLimitInterval",
    ),
    (
        Form::Action,
        "JobTimeoutAction StartLimitAction FailureAction SuccessAction",
    ),
    (Form::Count, "StartLimitBurst"),
    (
        Form::Number,
        "FailureActionExitStatus SuccessActionExitStatus",
    ),
    (
        Form::PathCondition,
        "ConditionPathExists ConditionPathExistsGlob ConditionPathIsDirectory \
         ConditionPathIsSymbolicLink ConditionPathIsMountPoint ConditionPathIsReadWrite \
         ConditionPathIsEncrypted ConditionDirectoryNotEmpty ConditionFileNotEmpty \
         ConditionFileIsExecutable ConditionNeedsUpdate AssertPathExists AssertPathExistsGlob \
         AssertPathIsDirectory AssertPathIsSymbolicLink AssertPathIsMountPoint \
         AssertPathIsReadWrite AssertPathIsEncrypted AssertDirectoryNotEmpty AssertFileNotEmpty \
         AssertFileIsExecutable AssertNeedsUpdate",
    ),
    (
        Form::Condition,
        "ConditionFirstBoot ConditionArchitecture ConditionFirmware ConditionVirtualization \
         ConditionHost ConditionKernelCommandLine ConditionKernelVersion ConditionCredential \
         ConditionSecurity ConditionCapability ConditionACPower ConditionMemory \
         ConditionCPUFeature ConditionCPUs ConditionEnvironment ConditionUser ConditionGroup \
         ConditionControlGroupController ConditionOSRelease ConditionMemoryPressure \
         ConditionCPUPressure ConditionIOPressure AssertFirstBoot AssertArchitecture \
         AssertVirtualization AssertHost AssertKernelCommandLine AssertKernelVersion \
         AssertCredential AssertSecurity AssertCapability AssertACPower AssertMemory \
         AssertCPUFeature AssertCPUs AssertEnvironment AssertUser AssertGroup \
         AssertControlGroupController AssertOSRelease AssertMemoryPressure AssertCPUPressure \
         AssertIOPressure",
    ),
];

const SERVICE: &[Row] = &[
    (
        Form::Other,
        "PIDFile TimeoutStartFailureMode TimeoutStopFailureMode ExitType BusName OOMPolicy",
    ),
    (
        Form::Exec,
        "ExecCondition ExecStartPre ExecStart ExecStartPost ExecReload ExecStop ExecStopPost",
    ),
    (
        Form::Span,
        "RestartSec TimeoutSec TimeoutStartSec TimeoutStopSec TimeoutAbortSec RuntimeMaxSec \
         RuntimeRandomizedExtraSec WatchdogSec StartLimitInterval",
    ),
    (Form::Count, "StartLimitBurst FileDescriptorStoreMax"),
    (Form::Action, "StartLimitAction FailureAction"),
    (Form::Text, "RebootArgument"),
    (Form::ServiceType, "Type"),
    (Form::Restart, "Restart"),
    (
        Form::Flag,
        "PermissionsStartOnly RootDirectoryStartOnly RemainAfterExit GuessMainPID NonBlocking",
    ),
    (
        Form::Statuses,
        "RestartPreventExitStatus RestartForceExitStatus SuccessExitStatus",
    ),
    (Form::NotifyAccess, "NotifyAccess"),
    (Form::Sockets, "Sockets"),
    (Form::Path, "USBFunctionDescriptors USBFunctionStrings"),
];

const SOCKET: &[Row] = &[
    (
        Form::Listen,
        "ListenStream ListenDatagram ListenSequentialPacket ListenFIFO ListenNetlink \
         ListenSpecial ListenMessageQueue ListenUSBFunction",
    ),
    (
        Form::Other,
        "SocketProtocol BindIPv6Only BindToDevice IPTOS Timestamping FileDescriptorName Service",
    ),
    (
        Form::Count,
        "Backlog MaxConnections MaxConnectionsPerSource KeepAliveProbes TriggerLimitBurst",
    ),
    (
        Form::Exec,
        "ExecStartPre ExecStartPost ExecStopPre ExecStopPost",
    ),
    (
        Form::Span,
        "TimeoutSec KeepAliveTimeSec KeepAliveIntervalSec DeferAcceptSec TriggerLimitIntervalSec",
    ),
    (Form::Account, "SocketUser SocketGroup"),
    (Form::Mode, "SocketMode DirectoryMode"),
    (
        Form::Flag,
        "Accept FlushPending Writable KeepAlive NoDelay FreeBind Transparent Broadcast \
         PassCredentials PassSecurity PassPacketInfo ReusePort RemoveOnStop SELinuxContextFromNet",
    ),
    (
        Form::Number,
        "Priority IPTTL Mark MessageQueueMaxMessages MessageQueueMessageSize",
    ),
    (Form::Size, "ReceiveBuffer SendBuffer PipeSize"),
    (Form::Plain, "TCPCongestion"),
    (Form::List, "Symlinks"),
    (Form::Text, "SmackLabel SmackLabelIPIn SmackLabelIPOut"),
];

const MOUNT: &[Row] = &[
    (Form::Text, "What Options Type"),
    (Form::Path, "Where"),
    (Form::Span, "TimeoutSec"),
    (Form::Mode, "DirectoryMode"),
    (
        Form::Flag,
        "SloppyOptions LazyUnmount ForceUnmount ReadWriteOnly",
    ),
];

const AUTOMOUNT: &[Row] = &[
    (Form::Path, "Where"),
    (Form::Text, "ExtraOptions"),
    (Form::Mode, "DirectoryMode"),
    (Form::Span, "TimeoutIdleSec"),
];

const SWAP: &[Row] = &[
    (Form::Path, "What"),
    (Form::Other, "Priority"),
    (Form::Text, "Options"),
    (Form::Span, "TimeoutSec"),
];

const TIMER: &[Row] = &[
    (Form::Calendar, "OnCalendar"),
    (
        Form::Timer,
        "OnActiveSec OnBootSec OnStartupSec OnUnitActiveSec OnUnitInactiveSec",
    ),
    (
        Form::Flag,
        "OnClockChange OnTimezoneChange Persistent WakeSystem RemainAfterElapse FixedRandomDelay",
    ),
    (Form::Span, "AccuracySec RandomizedDelaySec"),
    (Form::Unit, "Unit"),
];

const PATH: &[Row] = &[
    (
        Form::WatchedPath,
        "PathExists PathExistsGlob PathChanged PathModified DirectoryNotEmpty",
    ),
    (Form::Unit, "Unit"),
    (Form::Flag, "MakeDirectory"),
    (Form::Mode, "DirectoryMode"),
    (Form::Span, "TriggerLimitIntervalSec"),
    (Form::Count, "TriggerLimitBurst"),
];

const SCOPE: &[Row] = &[
    (
        Form::Span,
        "RuntimeMaxSec RuntimeRandomizedExtraSec TimeoutStopSec",
    ),
    (Form::Other, "OOMPolicy"),
];

const INSTALL: &[Row] = &[
    (Form::Install, "Alias WantedBy RequiredBy"),
    (Form::Also, "Also"),
    (Form::Plain, "DefaultInstance"),
];
/// What older systemd knew and 252 still accepts without effect.
const OBSOLETE: &[Row] = &[(
    Form::Other,
    "SysVStartPriority BusPolicy Capabilities NetClass",
)];

const FLEET: &[Row] = &[
    (
        Form::FleetList,
        "Conflicts MachineMetadata MachineOf Replaces \
         X-Conflicts X-ConditionMachineOf X-ConditionMachineMetadata",
    ),
    (
        Form::FleetScalar,
        "Global MachineID X-ConditionMachineID X-ConditionMachineBootID",
    ),
];
