//! Which version of systemd brought each directive.
//!
//! In: nothing. Out: one table by section and version, taken from systemd's own lists of its
//! configuration items, from version 207 to 260: a directive came with the first release whose unit
//! files could have it, though its manual may name another. Of a directive that was dropped, too.
//!
//! It must not know what a directive does, nor what became of it.

use crate::directive::OLDEST_VERSION as OLDEST;
use crate::directive::index::{Row, Sections};

/// The sections and the groups of directives they take, as in the table of forms.
pub(super) const SECTIONS: &Sections<u16> = &[
    ("Unit", &[UNIT]),
    ("Service", &[SERVICE, EXEC, KILL, CGROUP]),
    ("Socket", &[SOCKET, EXEC, KILL, CGROUP]),
    ("Timer", &[TIMER]),
    ("Path", &[PATH]),
    ("Mount", &[MOUNT, EXEC, KILL, CGROUP]),
    ("Automount", &[AUTOMOUNT]),
    ("Swap", &[SWAP, EXEC, KILL, CGROUP]),
    ("Slice", &[SLICE, CGROUP]),
    ("Scope", &[SCOPE, KILL, CGROUP]),
    ("Install", &[INSTALL]),
    ("BusName", &[BUS_NAME]),
];

const EXEC: &[Row<u16>] = &[
    (
        OLDEST,
        "WorkingDirectory RootDirectory User Group SupplementaryGroups Nice OOMScoreAdjust \
         IOSchedulingClass IOSchedulingPriority CPUSchedulingPolicy CPUSchedulingPriority \
         CPUSchedulingResetOnFork CPUAffinity UMask Environment EnvironmentFile StandardInput \
         StandardOutput StandardError TTYPath TTYReset TTYVHangup TTYVTDisallocate \
         SyslogIdentifier SyslogFacility SyslogLevel SyslogLevelPrefix Capabilities SecureBits \
         CapabilityBoundingSet TimerSlackNSec NoNewPrivileges SystemCallFilter LimitCPU \
         LimitFSIZE LimitDATA LimitSTACK LimitCORE LimitRSS LimitNOFILE LimitAS LimitNPROC \
         LimitMEMLOCK LimitLOCKS LimitSIGPENDING LimitMSGQUEUE LimitNICE LimitRTPRIO LimitRTTIME \
         ReadWriteDirectories ReadOnlyDirectories InaccessibleDirectories PrivateTmp \
         PrivateNetwork MountFlags PAMName IgnoreSIGPIPE UtmpIdentifier TCPWrapName ControlGroup \
         ControlGroupAttribute DeviceDeny ControlGroupModify ControlGroupPersistent",
    ),
    (
        209,
        "SystemCallArchitectures SystemCallErrorNumber PrivateDevices Personality SELinuxContext",
    ),
    (210, "AppArmorProfile"),
    (
        211,
        "RestrictAddressFamilies RuntimeDirectoryMode RuntimeDirectory",
    ),
    (214, "ProtectSystem ProtectHome"),
    (218, "SmackProcessLabel"),
    (225, "UtmpMode"),
    (228, "PassEnvironment"),
    (229, "AmbientCapabilities"),
    (
        231,
        "MemoryDenyWriteExecute RestrictRealtime ReadWritePaths ReadOnlyPaths InaccessiblePaths",
    ),
    (
        232,
        "DynamicUser ProtectKernelTunables ProtectKernelModules ProtectControlGroups PrivateUsers",
    ),
    (
        233,
        "RootImage RestrictNamespaces BindPaths BindReadOnlyPaths MountAPIVFS",
    ),
    (
        235,
        "UnsetEnvironment KeyringMode LockPersonality RuntimeDirectoryPreserve StateDirectoryMode \
         StateDirectory CacheDirectoryMode CacheDirectory LogsDirectoryMode LogsDirectory \
         ConfigurationDirectoryMode ConfigurationDirectory",
    ),
    (
        236,
        "RemoveIPC StandardInputText StandardInputData LogLevelMax LogExtraFields",
    ),
    (238, "TemporaryFileSystem"),
    (239, "PrivateMounts"),
    (240, "LogRateLimitIntervalSec LogRateLimitBurst"),
    (242, "RestrictSUIDSGID NetworkNamespacePath ProtectHostname"),
    (243, "NUMAPolicy NUMAMask TimeoutCleanSec"),
    (244, "ProtectKernelLogs"),
    (245, "ProtectClock LogNamespace"),
    (246, "RootHash RootHashSignature RootVerity CoredumpFilter"),
    (
        247,
        "RootImageOptions MountImages ProtectProc ProcSubset SystemCallLog SetCredential \
         LoadCredential",
    ),
    (
        248,
        "ExtensionImages ExecPaths NoExecPaths IPCNamespacePath PrivateIPC",
    ),
    (
        250,
        "TTYRows TTYColumns RestrictFileSystems ExecSearchPath SetCredentialEncrypted \
         LoadCredentialEncrypted",
    ),
    (251, "ExtensionDirectories"),
    (253, "LogFilterPatterns"),
    (
        254,
        "RootImagePolicy RootEphemeral ExtensionImagePolicy MountImagePolicy ImportCredential \
         MemoryKSM",
    ),
    (255, "SetLoginEnvironment"),
    (257, "PrivatePIDs BindLogSockets"),
    (
        258,
        "PrivateBPF BPFDelegateCommands BPFDelegateMaps BPFDelegatePrograms \
         BPFDelegateAttachments DelegateNamespaces StateDirectoryAccounting StateDirectoryQuota \
         CacheDirectoryAccounting CacheDirectoryQuota LogsDirectoryAccounting LogsDirectoryQuota",
    ),
    (259, "UserNamespacePath"),
    (260, "RootMStack MemoryTHP"),
];

const KILL: &[Row<u16>] = &[
    (OLDEST, "SendSIGKILL SendSIGHUP KillMode KillSignal"),
    (240, "FinalKillSignal WatchdogSignal"),
    (244, "RestartKillSignal"),
];

const CGROUP: &[Row<u16>] = &[
    (
        OLDEST,
        "Slice CPUAccounting CPUShares MemoryAccounting MemoryLimit DeviceAllow DevicePolicy \
         BlockIOAccounting BlockIOWeight BlockIODeviceWeight BlockIOReadBandwidth \
         BlockIOWriteBandwidth MemorySoftLimit",
    ),
    (213, "StartupCPUShares CPUQuota StartupBlockIOWeight"),
    (218, "Delegate"),
    (227, "TasksAccounting TasksMax NetClass"),
    (
        230,
        "IOAccounting IOWeight StartupIOWeight IODeviceWeight IOReadBandwidthMax \
         IOWriteBandwidthMax IOReadIOPSMax IOWriteIOPSMax",
    ),
    (231, "MemoryLow MemoryHigh MemoryMax"),
    (232, "CPUWeight StartupCPUWeight MemorySwapMax"),
    (235, "IPAccounting IPAddressAllow IPAddressDeny"),
    (240, "MemoryMin IODeviceLatencyTargetSec DisableControllers"),
    (242, "CPUQuotaPeriodSec"),
    (
        243,
        "DefaultMemoryMin DefaultMemoryLow IPIngressFilterPath IPEgressFilterPath",
    ),
    (244, "AllowedCPUs AllowedMemoryNodes"),
    (
        247,
        "ManagedOOMSwap ManagedOOMMemoryPressure ManagedOOMMemoryPressureLimitPercent",
    ),
    (248, "ManagedOOMMemoryPressureLimit ManagedOOMPreference"),
    (249, "BPFProgram SocketBindAllow SocketBindDeny"),
    (
        250,
        "StartupAllowedCPUs StartupAllowedMemoryNodes RestrictNetworkInterfaces",
    ),
    (253, "MemoryZSwapMax"),
    (
        254,
        "StartupMemoryLow DefaultStartupMemoryLow StartupMemoryHigh StartupMemoryMax \
         StartupMemorySwapMax StartupMemoryZSwapMax DelegateSubgroup MemoryPressureThresholdSec \
         MemoryPressureWatch",
    ),
    (255, "NFTSet CoredumpReceive"),
    (256, "MemoryZSwapWriteback"),
    (257, "ManagedOOMMemoryPressureDurationSec"),
    (260, "BindNetworkInterface"),
];

// Several conditions were announced before unit files could have them: `ConditionMemory` with 244,
// `ConditionCPUFeature` with 248. What counts here is when a unit file could.
const UNIT: &[Row<u16>] = &[
    (
        OLDEST,
        "Description Documentation SourcePath Requires Requisite Wants BindsTo BindTo Conflicts \
         Before After OnFailure PropagatesReloadTo PropagateReloadTo ReloadPropagatedFrom \
         PropagateReloadFrom PartOf RequiresOverridable RequisiteOverridable RequiresMountsFor \
         StopWhenUnneeded RefuseManualStart RefuseManualStop AllowIsolate DefaultDependencies \
         OnFailureIsolate IgnoreOnIsolate IgnoreOnSnapshot JobTimeoutSec ConditionPathExists \
         ConditionPathExistsGlob ConditionPathIsDirectory ConditionPathIsSymbolicLink \
         ConditionPathIsMountPoint ConditionPathIsReadWrite ConditionDirectoryNotEmpty \
         ConditionFileNotEmpty ConditionFileIsExecutable ConditionVirtualization ConditionHost \
         ConditionKernelCommandLine ConditionSecurity ConditionCapability ConditionACPower \
         ConditionNull Names",
    ),
    (209, "JoinsNamespaceOf OnFailureJobMode"),
    (210, "ConditionArchitecture"),
    (215, "ConditionNeedsUpdate"),
    (216, "ConditionFirstBoot"),
    (217, "JobTimeoutAction JobTimeoutRebootArgument"),
    (
        218,
        "AssertPathExists AssertPathExistsGlob AssertPathIsDirectory AssertPathIsSymbolicLink \
         AssertPathIsMountPoint AssertPathIsReadWrite AssertDirectoryNotEmpty AssertFileNotEmpty \
         AssertFileIsExecutable AssertNeedsUpdate AssertFirstBoot AssertArchitecture \
         AssertVirtualization AssertHost AssertKernelCommandLine AssertSecurity AssertCapability \
         AssertACPower AssertNull",
    ),
    (
        229,
        "StartLimitInterval StartLimitBurst StartLimitAction RebootArgument",
    ),
    (230, "StartLimitIntervalSec"),
    (
        234,
        "JobRunningTimeoutSec ConditionUser ConditionGroup AssertUser AssertGroup",
    ),
    (236, "FailureAction SuccessAction CollectMode"),
    (
        237,
        "ConditionKernelVersion ConditionControlGroupController AssertKernelVersion \
         AssertControlGroupController",
    ),
    (240, "FailureActionExitStatus SuccessActionExitStatus"),
    (
        247,
        "ConditionPathIsEncrypted ConditionMemory ConditionCPUs ConditionEnvironment \
         AssertPathIsEncrypted AssertMemory AssertCPUs AssertEnvironment",
    ),
    (
        249,
        "Upholds OnSuccess PropagatesStopTo StopPropagatedFrom OnSuccessJobMode ConditionFirmware \
         ConditionOSRelease AssertOSRelease",
    ),
    (
        250,
        "ConditionMemoryPressure ConditionCPUPressure ConditionIOPressure AssertMemoryPressure \
         AssertCPUPressure AssertIOPressure",
    ),
    (251, "ConditionCPUFeature AssertCPUFeature"),
    (252, "ConditionCredential AssertCredential"),
    (255, "SurviveFinalKillSignal"),
    (256, "WantsMountsFor"),
    (
        258,
        "ConditionVersion ConditionKernelModuleLoaded AssertVersion AssertKernelModuleLoaded",
    ),
    (260, "ConditionPathIsSocket AssertPathIsSocket"),
];

const SERVICE: &[Row<u16>] = &[
    (
        OLDEST,
        "StartLimitInterval StartLimitBurst StartLimitAction PIDFile ExecStartPre ExecStart \
         ExecStartPost ExecReload ExecStop ExecStopPost RestartSec TimeoutSec TimeoutStartSec \
         TimeoutStopSec WatchdogSec Type Restart PermissionsStartOnly RootDirectoryStartOnly \
         RemainAfterExit GuessMainPID RestartPreventExitStatus SuccessExitStatus \
         SysVStartPriority NonBlocking BusName NotifyAccess Sockets FsckPassNo",
    ),
    (213, "FailureAction RebootArgument"),
    (215, "RestartForceExitStatus"),
    (217, "BusPolicy"),
    (219, "FileDescriptorStoreMax"),
    (227, "USBFunctionDescriptors USBFunctionStrings"),
    (229, "RuntimeMaxSec"),
    (243, "ExecCondition TimeoutAbortSec OOMPolicy"),
    (246, "TimeoutStartFailureMode TimeoutStopFailureMode"),
    (250, "RuntimeRandomizedExtraSec ExitType"),
    (253, "OpenFile ReloadSignal"),
    (
        254,
        "RestartSteps RestartMaxDelaySec RestartMode FileDescriptorStorePreserve",
    ),
    (259, "ExecReloadPost"),
    (260, "RefreshOnReload"),
];

const SOCKET: &[Row<u16>] = &[
    (
        OLDEST,
        "ExecStartPre ExecStartPost ExecStopPost TimeoutSec ListenStream ListenDatagram \
         ListenSequentialPacket ListenFIFO ListenNetlink ListenSpecial ListenMessageQueue \
         BindIPv6Only Backlog BindToDevice ExecStopPre SocketMode DirectoryMode Accept \
         MaxConnections KeepAlive Priority ReceiveBuffer SendBuffer IPTOS IPTTL Mark PipeSize \
         FreeBind Transparent Broadcast PassCredentials PassSecurity TCPCongestion \
         MessageQueueMaxMessages MessageQueueMessageSize Service SmackLabel SmackLabelIPIn \
         SmackLabelIPOut",
    ),
    (209, "ReusePort"),
    (214, "SocketUser SocketGroup RemoveOnStop Symlinks"),
    (
        216,
        "KeepAliveTimeSec KeepAliveIntervalSec KeepAliveProbes DeferAcceptSec NoDelay",
    ),
    (217, "SELinuxContextFromNet"),
    (227, "ListenUSBFunction Writable FileDescriptorName"),
    (229, "SocketProtocol"),
    (230, "TriggerLimitIntervalSec TriggerLimitBurst"),
    (232, "MaxConnectionsPerSource"),
    (246, "PassPacketInfo"),
    (247, "FlushPending Timestamping"),
    (255, "PollLimitIntervalSec PollLimitBurst"),
    (256, "PassFileDescriptorsToExec"),
    (
        258,
        "PassPIDFD AcceptFileDescriptors DeferTrigger DeferTriggerMaxSec",
    ),
];

const TIMER: &[Row<u16>] = &[
    (
        OLDEST,
        "OnCalendar OnActiveSec OnBootSec OnStartupSec OnUnitActiveSec OnUnitInactiveSec Unit",
    ),
    (209, "AccuracySec"),
    (212, "Persistent WakeSystem"),
    (228, "RemainAfterElapse"),
    (229, "RandomizedDelaySec"),
    (242, "OnClockChange OnTimezoneChange"),
    (247, "FixedRandomDelay"),
    (257, "DeferReactivation"),
    (258, "RandomizedOffsetSec"),
];

const PATH: &[Row<u16>] = &[
    (
        OLDEST,
        "DirectoryMode Unit PathExists PathExistsGlob PathChanged PathModified DirectoryNotEmpty \
         MakeDirectory",
    ),
    (250, "TriggerLimitIntervalSec TriggerLimitBurst"),
];

const MOUNT: &[Row<u16>] = &[
    (
        OLDEST,
        "TimeoutSec Type DirectoryMode What Where Options FsckPassNo",
    ),
    (215, "SloppyOptions"),
    (232, "LazyUnmount ForceUnmount"),
    (246, "ReadWriteOnly"),
];

const AUTOMOUNT: &[Row<u16>] = &[
    (OLDEST, "DirectoryMode Where"),
    (220, "TimeoutIdleSec"),
    (250, "ExtraOptions"),
];

const SWAP: &[Row<u16>] = &[(OLDEST, "TimeoutSec Priority What"), (217, "Options")];

const SLICE: &[Row<u16>] = &[(258, "ConcurrencySoftMax ConcurrencyHardMax")];

const SCOPE: &[Row<u16>] = &[
    (OLDEST, "TimeoutStopSec"),
    (244, "RuntimeMaxSec"),
    (250, "RuntimeRandomizedExtraSec"),
    // In 252's own updates; 253 was the first to come out with it.
    (252, "OOMPolicy"),
];

const INSTALL: &[Row<u16>] = &[
    (OLDEST, "Alias WantedBy RequiredBy Also"),
    (215, "DefaultInstance"),
    (254, "UpheldBy"),
];

/// A kind of unit that went with 235, before it was of use to anyone.
const BUS_NAME: &[Row<u16>] = &[
    (209, "Service Name"),
    (211, "SELinuxContext AllowUser AllowGroup AllowWorld"),
    (212, "AcceptFileDescriptors Activating"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directive::index::entries;
    use crate::directive::{
        Fate, NEWEST_VERSION, form, names, obsolete, section_since, sections, since,
    };

    /// The version whose directives the table of forms has.
    const MODEL: u16 = 252;

    #[track_caller]
    fn case(section: &str, names: &str, version: u16) {
        for name in names.split_whitespace() {
            assert_eq!(since(section, name), Some(version), "[{section}] {name}");
        }
    }

    #[test]
    fn well_known_directives_came_when_they_did() {
        case("Unit", "Description Requires BindsTo BindTo", OLDEST);
        case("Unit", "JoinsNamespaceOf", 209);
        case("Unit", "StartLimitBurst", 229);
        case("Unit", "StartLimitIntervalSec", 230);
        case("Unit", "SuccessAction FailureAction CollectMode", 236);
        case("Unit", "Upholds OnSuccess", 249);
        case(
            "Service",
            "ExecStart TimeoutStartSec StartLimitInterval",
            OLDEST,
        );
        case("Service", "Delegate SmackProcessLabel", 218);
        case("Service", "TasksMax USBFunctionStrings", 227);
        case("Service", "RuntimeMaxSec AmbientCapabilities", 229);
        case("Service", "DynamicUser ProtectKernelModules", 232);
        case("Service", "ExecCondition OOMPolicy", 243);
        case("Service", "LoadCredential", 247);
        case(
            "Service",
            "RestartSteps RestartMaxDelaySec RestartMode",
            254,
        );
        case("Slice", "MemoryMax MemoryHigh", 231);
        case("Socket", "FileDescriptorName", 227);
        case("Timer", "Persistent WakeSystem", 212);
        case("Timer", "RandomizedDelaySec", 229);
        case("Install", "DefaultInstance", 215);
        case("Install", "UpheldBy", 254);
    }

    #[test]
    fn the_same_name_may_come_to_sections_one_by_one() {
        case("Service", "FailureAction", 213);
        case("Socket", "TriggerLimitBurst", 230);
        case("Path", "TriggerLimitBurst", 250);
        case("Service", "RuntimeMaxSec", 229);
        case("Scope", "RuntimeMaxSec", 244);
    }

    #[test]
    fn what_is_not_of_systemd_has_no_version() {
        assert_eq!(since("Service", "Execstart"), None);
        assert_eq!(since("Unit", "ExecStart"), None);
        assert_eq!(since("X-Fleet", "Global"), None);
        assert_eq!(section_since("X-Fleet"), None);
        assert_eq!(section_since("Service"), Some(OLDEST));
        assert_eq!(section_since("BusName"), Some(209));
    }

    #[test]
    fn each_directive_of_the_model_has_its_version() {
        for section in sections().filter(|section| *section != "X-Fleet") {
            for name in names(section) {
                let version = since(section, name).expect(name);
                assert!((OLDEST..=MODEL).contains(&version), "[{section}] {name}");
            }
        }
    }

    #[test]
    fn the_model_has_what_came_by_then_and_still_works() {
        for (section, name, version) in entries(SECTIONS) {
            let fate = obsolete(section, name, MODEL).map(|obsolete| obsolete.fate);
            if !matches!(fate, Some(Fate::Ignored | Fate::Removed)) {
                let is_known = form(section, name).is_some();
                assert_eq!(is_known, version <= MODEL, "[{section}] {name}");
            }
        }
    }

    #[test]
    fn no_directive_came_twice() {
        let mut places: Vec<_> = entries(SECTIONS).map(|(of, name, _)| (of, name)).collect();
        let count = places.len();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), count);
    }

    #[test]
    fn the_newest_version_brought_something() {
        let newest = entries(SECTIONS).map(|(_, _, version)| version).max();
        assert_eq!(newest, Some(NEWEST_VERSION));
    }
}
