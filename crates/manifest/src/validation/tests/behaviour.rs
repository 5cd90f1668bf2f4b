//! Probes, hooks, restart rules and security contexts.

use super::{app, init, spec};

#[test]
fn r14_1_to_r14_6_probes_and_hooks() {
    app(
        "livenessProbe: {exec: {command: [x]}}, readinessProbe: {tcpSocket: {port: http}}, ports: [{name: http, containerPort: 1}]",
        &[],
    );
    app(
        "livenessProbe: {}",
        &["spec.containers[0].livenessProbe: Required value: must specify a handler type"],
    );
    app(
        "livenessProbe: {exec: {}}",
        &["spec.containers[0].livenessProbe.exec.command: Required value"],
    );
    app(
        "livenessProbe: {exec: {command: [x]}, httpGet: {port: 1}, tcpSocket: {port: 1}}",
        &[
            "spec.containers[0].livenessProbe.httpGet: Forbidden: may not specify more than 1 handler type",
            "spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
        ],
    );
    app(
        "livenessProbe: {httpGet: {path: /}}",
        &[
            "spec.containers[0].livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive",
        ],
    );
    app(
        "startupProbe: {tcpSocket: {port: '8080'}}",
        &[
            "spec.containers[0].startupProbe.tcpSocket.port: Invalid value: \"8080\": must contain at least one letter",
        ],
    );
    app(
        "readinessProbe: {exec: {command: [x]}, periodSeconds: -1, timeoutSeconds: -2, terminationGracePeriodSeconds: 3}",
        &[
            "spec.containers[0].readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
            "spec.containers[0].readinessProbe.timeoutSeconds: Invalid value: -2: must be greater than or equal to 0",
            "spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 3: must not be set for readiness",
        ],
    );
    app(
        "startupProbe: {exec: {command: [x]}, successThreshold: 2, terminationGracePeriodSeconds: 0}",
        &[
            "spec.containers[0].startupProbe.successThreshold: Invalid value: 2: must be 1",
            "spec.containers[0].startupProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0",
        ],
    );
    app(
        "livenessProbe: {exec: {command: [x]}, successThreshold: 0, periodSeconds: 0}",
        &[],
    );
    app(
        "livenessProbe: {httpGet: {port: 1, httpHeaders: [{name: 'a b', value: c}]}}",
        &[
            "spec.containers[0].livenessProbe.httpGet.httpHeaders: Invalid value: \"a b\": a valid HTTP header must consist",
        ],
    );
    app(
        "lifecycle: {preStop: {}}",
        &["spec.containers[0].lifecycle.preStop: Required value: must specify a handler type"],
    );
    app(
        "lifecycle: {preStop: {sleep: {seconds: 30}}, postStart: {tcpSocket: {port: 1}}}",
        &[],
    );
    app(
        "lifecycle: {preStop: {sleep: {seconds: 31}}}",
        &[
            "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)",
        ],
    );
    app(
        "lifecycle: {postStart: {sleep: {seconds: -1}}}",
        &["spec.containers[0].lifecycle.postStart.sleep: Invalid value: -1: must be non-negative"],
    );
    app(
        "lifecycle: {stopSignal: SIGUSR1}",
        &[
            "spec.containers[0].lifecycle.stopSignal: Forbidden: may not be set for containers with empty `spec.os.name`",
        ],
    );
    spec(
        "os: {name: linux}, containers: [{name: a, image: x, lifecycle: {stopSignal: SIGRTMIN+3}}]",
        &[],
    );
    init(
        "lifecycle: {preStop: {exec: {command: [x]}}}, startupProbe: {exec: {command: [x]}}",
        &[
            "spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always",
            "spec.initContainers[0].startupProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
        ],
    );
    init(
        "restartPolicy: Always, startupProbe: {exec: {command: [x]}}, lifecycle: {preStop: {sleep: {seconds: 1}}}",
        &[],
    );
    init(
        "restartPolicy: Always, livenessProbe: {exec: {command: [x]}, successThreshold: 2}",
        &["spec.initContainers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"],
    );
}

#[test]
fn r14_8_and_r14_9_restart_rules() {
    app("restartPolicy: Never", &[]);
    init("restartPolicy: OnFailure", &[]);
    app(
        "restartPolicy: Never, restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [1, 999]}}]",
        &[],
    );
    app(
        "restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [1]}}]",
        &[
            "spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used",
        ],
    );
    app(
        "restartPolicy: Never, restartPolicyRules: [{action: Stop, exitCodes: {values: [1]}}, {action: Restart}]",
        &[
            "spec.containers[0].restartPolicyRules[0].action: Unsupported value: \"Stop\": supported values: \"Restart\", \"RestartAllContainers\"",
            "spec.containers[0].restartPolicyRules[0].exitCodes.operator: Unsupported value: \"\": supported values: \"In\", \"NotIn\"",
            "spec.containers[0].restartPolicyRules[1].exitCodes: Required value: must be specified",
        ],
    );
    let rule = "{action: Restart, exitCodes: {operator: In, values: [1]}}";
    app(
        &format!(
            "restartPolicy: Never, restartPolicyRules: [{}]",
            vec![rule; 21].join(", ")
        ),
        &["spec.containers[0].restartPolicyRules: Too many: 21: must have at most 20 items"],
    );
    app(
        &format!(
            "restartPolicy: Never, restartPolicyRules: [{{action: Restart, exitCodes: {{operator: In, values: [{}]}}}}]",
            vec!["1"; 256].join(", ")
        ),
        &[
            "spec.containers[0].restartPolicyRules[0].exitCodes.values: Too many: 256: must have at most 255 items",
        ],
    );
}

#[test]
fn security() {
    app(
        "securityContext: {privileged: true, runAsUser: 0, capabilities: {add: [NET_ADMIN], drop: [ALL]}}",
        &[],
    );
    app(
        "securityContext: {privileged: true, allowPrivilegeEscalation: false}",
        &[
            "spec.containers[0].securityContext: Invalid value: false: cannot set `allowPrivilegeEscalation` to false and `privileged` to true",
        ],
    );
    app(
        "securityContext: {allowPrivilegeEscalation: false, capabilities: {add: [CAP_SYS_ADMIN]}}",
        &[
            "spec.containers[0].securityContext: Invalid value: false: cannot set `allowPrivilegeEscalation` to false and `capabilities.Add`",
        ],
    );
    app(
        "securityContext: {runAsUser: -1, runAsGroup: 4294967296}",
        &[
            "spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive",
            "spec.containers[0].securityContext.runAsGroup: Invalid value: 4294967296: must be between 0 and 2147483647",
        ],
    );
    app(
        "securityContext: {procMount: Unmasked}",
        &[
            "spec.containers[0].securityContext.procMount: Invalid value: \"Unmasked\": `hostUsers` must be false to use",
        ],
    );
    app(
        "securityContext: {seccompProfile: {type: Localhost}}",
        &[
            "spec.containers[0].securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp",
        ],
    );
    app(
        "securityContext: {seccompProfile: {type: Unconfined, localhostProfile: x}}",
        &[
            "spec.containers[0].securityContext.seccompProfile.localhostProfile: Invalid value: \"x\": can only be set when",
        ],
    );
    spec(
        "hostPID: true, shareProcessNamespace: true",
        &[
            "spec.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled",
        ],
    );
    spec(
        "hostUsers: false, hostNetwork: true, hostIPC: true",
        &[
            "spec.hostNetwork: Forbidden: when `hostUsers` is false",
            "spec.hostIPC: Forbidden: when `hostUsers` is false",
        ],
    );
    spec(
        "securityContext: {sysctls: [{name: net.ipv4.ip_forward, value: '1'}, {name: net/core/somaxconn, value: '9'}]}",
        &[],
    );
    spec(
        "securityContext: {sysctls: [{name: A b, value: '1'}, {name: net.a, value: '1'}, {name: net/a, value: '1'}, {}]}",
        &[
            "spec.securityContext.sysctls[0].name: Invalid value: \"A b\": must have at most 253 characters and match",
            "spec.securityContext.sysctls[2].name: Duplicate value: \"net/a\"",
            "spec.securityContext.sysctls[3].name: Required value",
        ],
    );
    spec(
        "securityContext: {sysctls: [{name: kernel.shm_rmid_forced, value: '1'}, {name: fs.file-max, value: '1'}]}",
        &[
            "spec.securityContext.sysctls[1].name: Forbidden: forbidden sysctl: \"fs.file-max\" not allowlisted",
        ],
    );
    spec(
        "hostNetwork: true, securityContext: {sysctls: [{name: net.a, value: '1'}]}",
        &[
            "spec.securityContext.sysctls[0].name: Invalid value: \"net.a\": may not be specified when 'hostNetwork' is true",
        ],
    );
    spec(
        "securityContext: {fsGroup: -1, supplementalGroups: [1, -1]}",
        &[
            "spec.securityContext.fsGroup: Invalid value: -1: must be between",
            "spec.securityContext.supplementalGroups[1]: Invalid value: -1: must be between",
        ],
    );
}
