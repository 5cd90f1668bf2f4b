//! Tables of specs and the messages the API server has for them. A case lists every message, in any order, by its
//! beginning; an empty list means that the spec is taken.

use crate::{Diagnostic, Severity, Source, load};

fn judge(text: String) -> Vec<String> {
    let source = Source {
        name: "t".to_owned(),
        bytes: text.into_bytes(),
    };
    let messages = match load(&[source]) {
        Ok(loaded) => loaded.warnings,
        Err(messages) => messages,
    };
    let errors = messages
        .iter()
        .filter(|message| message.severity == Severity::Error);
    errors
        .map(|Diagnostic { message, .. }| message.clone())
        .collect()
}

fn check(name: &str, text: String, expected: &[&str]) {
    let told = judge(text.clone());
    let met = expected
        .iter()
        .all(|start| told.iter().any(|message| message.starts_with(start)));
    assert!(
        met && told.len() == expected.len(),
        "{name}\n{text}\nexpected {expected:#?}\ngot {told:#?}"
    );
}

/// Fields of a spec, with a good app unless containers are given.
fn spec(fields: &str, expected: &[&str]) {
    let app = if fields.contains("containers:") {
        ""
    } else {
        "containers: [{name: app, image: x}], "
    };
    let text =
        format!("{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {{{app}{fields}}}}}");
    check(fields, text, expected);
}

/// Fields of the only app.
fn app(fields: &str, expected: &[&str]) {
    spec(
        &format!(
            "containers: [{{name: app, image: x, {fields}}}], volumes: [{{name: v, emptyDir: {{}}}}, {{name: w}}]"
        ),
        expected,
    );
}

/// Fields of an init container.
fn init(fields: &str, expected: &[&str]) {
    let apps = "containers: [{name: app, image: x}]";
    spec(
        &format!("{apps}, initContainers: [{{name: init, image: x, {fields}}}]"),
        expected,
    );
}

fn metadata(fields: &str, expected: &[&str]) {
    let text = format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{{fields}}}, spec: {{containers: [{{name: a, image: x}}]}}}}"
    );
    check(fields, text, expected);
}

fn object(fields: &str, expected: &[&str]) {
    check(fields, format!("{{apiVersion: v1, {fields}}}"), expected);
}

#[test]
fn names_and_metadata() {
    metadata("name: web-1.x", &[]);
    metadata(
        "namespace: a",
        &["metadata.name: Required value: name or generateName is required"],
    );
    metadata("generateName: a-", &["metadata.name: Required value"]);
    metadata(
        "name: Web",
        &["metadata.name: Invalid value: \"Web\": a lowercase RFC 1123 subdomain must consist of"],
    );
    metadata(
        &format!("name: {}", "a".repeat(254)),
        &["metadata.name: Invalid value: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],
    );
    metadata(
        "name: a, namespace: a.b",
        &["metadata.namespace: Invalid value: \"a.b\": must not contain dots"],
    );
    metadata(
        "name: a, labels: {a/b: c, app.kubernetes.io/name: x_1, e: ''}",
        &[],
    );
    metadata(
        "name: a, labels: {a b: c}",
        &["metadata.labels: Invalid value: \"a b\": name part must consist of"],
    );
    metadata(
        "name: a, labels: {a: -c}",
        &["metadata.labels: Invalid value: \"-c\": a valid label must be an empty"],
    );
    metadata(
        "name: a, labels: {A_/b: c}",
        &["metadata.labels: Invalid value: \"A_/b\": prefix part a lowercase"],
    );
    metadata(
        "name: a, labels: {/b: c}",
        &["metadata.labels: Invalid value: \"/b\": prefix part must be non-empty"],
    );
    metadata(
        "name: a, labels: {a/b/c: c}",
        &["metadata.labels: Invalid value: \"a/b/c\": a qualified name must"],
    );
    metadata("name: a, annotations: {A.b/C: 'any thing'}", &[]);
    metadata(
        "name: a, annotations: {'!': x}",
        &["metadata.annotations: Invalid value: \"!\": name part must"],
    );
    metadata(
        &format!("name: a, annotations: {{a: {}}}", "x".repeat(256 << 10)),
        &["metadata.annotations: Too long: may not be more than 262144 bytes"],
    );
}

#[test]
fn containers_need_names_images_and_each_other() {
    spec("containers: []", &["spec.containers: Required value"]);
    spec(
        "containers: [{}]",
        &[
            "spec.containers[0].name: Required value",
            "spec.containers[0].image: Required value",
        ],
    );
    spec(
        "containers: [{name: A, image: ' x'}]",
        &[
            "spec.containers[0].name: Invalid value: \"A\": a lowercase RFC 1123 label must consist of lower case",
            "spec.containers[0].image: Invalid value: \" x\": must not have leading or trailing whitespace",
        ],
    );
    spec(
        "containers: [{name: a, image: x}, {name: b, image: x}, {name: a, image: x}]",
        &["spec.containers[2].name: Duplicate value: \"a\""],
    );
    spec(
        "containers: [{name: a, image: x}], initContainers: [{name: i, image: x}, {name: i, image: x}, {name: a, image: x}]",
        &[
            "spec.initContainers[1].name: Duplicate value: \"i\"",
            "spec.initContainers[2].name: Duplicate value: \"a\"",
        ],
    );
    spec(
        "ephemeralContainers: [{name: e, image: x}]",
        &["spec.ephemeralContainers: Forbidden: cannot be set on create"],
    );
    spec("containers: null", &["spec.containers: Required value"]);
}

#[test]
fn words_are_checked_with_what_is_known() {
    spec(
        "restartPolicy: Sometimes",
        &[
            "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"OnFailure\", \"Never\"",
        ],
    );
    spec("restartPolicy: ''", &[]);
    spec(
        "dnsPolicy: x",
        &[
            "spec.dnsPolicy: Unsupported value: \"x\": supported values: \"ClusterFirstWithHostNet\", ",
        ],
    );
    app(
        "imagePullPolicy: always",
        &["spec.containers[0].imagePullPolicy: Unsupported value: \"always\": supported"],
    );
    app(
        "terminationMessagePolicy: x",
        &["spec.containers[0].terminationMessagePolicy: Unsupported value"],
    );
    app(
        "ports: [{containerPort: 1, protocol: tcp}]",
        &[
            "spec.containers[0].ports[0].protocol: Unsupported value: \"tcp\": supported values: \"SCTP\", \"TCP\", \"UDP\"",
        ],
    );
    app(
        "livenessProbe: {httpGet: {port: 1, scheme: http}}",
        &[
            "spec.containers[0].livenessProbe.httpGet.scheme: Unsupported value: \"http\": supported values: \"HTTP\", \"HTTPS\"",
        ],
    );
    spec("os: {name: windows}", &["spec.os.name: Forbidden"]);
    spec(
        "os: {name: plan9}",
        &["spec.os.name: Unsupported value: \"plan9\": supported values: \"linux\", \"windows\""],
    );
    spec("os: {}", &["spec.os.name: Required value"]);
}

#[test]
fn ports() {
    app(
        "ports: [{containerPort: 80, name: http}, {containerPort: 443, name: https, hostPort: 443}]",
        &[],
    );
    app(
        "ports: [{}]",
        &["spec.containers[0].ports[0].containerPort: Required value"],
    );
    app(
        "ports: [{containerPort: -1}]",
        &["spec.containers[0].ports[0].containerPort: Invalid value: -1: must be between"],
    );
    app(
        "ports: [{containerPort: 65536}]",
        &["spec.containers[0].ports[0].containerPort: Invalid value: 65536: must be"],
    );
    app(
        "ports: [{containerPort: 1, hostPort: 70000}]",
        &[
            "spec.containers[0].ports[0].hostPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
        ],
    );
    for (name, fault) in [
        (
            "HTTP",
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        ),
        ("a-much-too-long-name", "must be no more than 15 characters"),
        ("a--b", "must not contain consecutive hyphens"),
        ("-a", "must not begin or end with a hyphen"),
    ] {
        let message =
            format!("spec.containers[0].ports[0].name: Invalid value: \"{name}\": {fault}");
        let fields = format!("ports: [{{containerPort: 1, name: {name}}}]");
        let letters = "spec.containers[0].ports[0].name: Invalid value: \"HTTP\": must contain at least one letter";
        if name == "HTTP" {
            app(&fields, &[&message, letters]);
        } else {
            app(&fields, &[&message]);
        }
    }
    app(
        "ports: [{containerPort: 1, name: a}, {containerPort: 2, name: a}]",
        &["spec.containers[0].ports[1].name: Duplicate value: \"a\""],
    );
}

#[test]
fn r14_10_host_ports_conflict_among_apps_only() {
    let port = "ports: [{containerPort: 1, hostPort: 80}]";
    spec(
        &format!("containers: [{{name: a, image: x, {port}}}, {{name: b, image: x, {port}}}]"),
        &["spec.containers[1].ports[0].hostPort: Duplicate value: \"TCP//80\""],
    );
    spec(
        &format!(
            "containers: [{{name: a, image: x, {port}}}], \
             initContainers: [{{name: i, image: x, {port}}}, {{name: s, image: x, restartPolicy: Always, {port}}}]"
        ),
        &[],
    );
    init(
        "ports: [{containerPort: 1, hostPort: 80}, {containerPort: 2, hostPort: 80}]",
        &["spec.initContainers[0].ports[1].hostPort: Duplicate value: \"TCP//80\""],
    );
    app(
        "ports: [{containerPort: 1, hostPort: 80}, {containerPort: 1, hostPort: 80, protocol: UDP}]",
        &[],
    );
    app(
        "ports: [{containerPort: 1, hostPort: 80}, {containerPort: 1, hostPort: 80, hostIP: 127.0.0.1}]",
        &[],
    );
    spec(
        "hostNetwork: true, containers: [{name: a, image: x, ports: [{containerPort: 80}, {containerPort: 1, hostPort: 2}]}]",
        &[
            "spec.containers[0].ports[1].hostPort: Invalid value: 2: must match `containerPort` when `hostNetwork` is true",
        ],
    );
}

#[test]
fn environment() {
    app(
        "env: [{name: a.b-c, value: x}, {name: '1', value: ''}, {name: E}]",
        &[],
    );
    app(
        "env: [{value: x}]",
        &["spec.containers[0].env[0].name: Required value"],
    );
    app(
        "env: [{name: 'a=b'}]",
        &[
            "spec.containers[0].env[0].name: Invalid value: \"a=b\": a valid environment variable name must consist only",
        ],
    );
    app(
        "env: [{name: a, valueFrom: {}}]",
        &["spec.containers[0].env[0].valueFrom: Invalid value: \"\": must specify one of"],
    );
    app(
        "env: [{name: a, value: b, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
        &[
            "spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty",
        ],
    );
    app(
        "env: [{name: a, valueFrom: {fieldRef: {fieldPath: metadata.name}, secretKeyRef: {name: s, key: k, optional: true}}}]",
        &[
            "spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not have more than one field specified at a time",
        ],
    );
    app(
        "env: [{name: a, valueFrom: {fieldRef: {}}}]",
        &["spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Required"],
    );
    app(
        "env: [{name: a, valueFrom: {fieldRef: {fieldPath: spec.hostname}}}]",
        &[
            "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: \"spec.hostname\": supported values",
        ],
    );
    app(
        "env: [{name: a, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['app']\"}}}]",
        &[],
    );
    app(
        "env: [{name: a, valueFrom: {fieldRef: {fieldPath: \"spec.x['app']\"}}}]",
        &[
            "spec.containers[0].env[0].valueFrom.fieldRef: Invalid value: \"spec.x\": does not support subscript",
        ],
    );
    app(
        "env: [{name: a, valueFrom: {resourceFieldRef: {resource: limits.cpus}}}]",
        &[
            "spec.containers[0].env[0].valueFrom.resourceFieldRef.resource: Unsupported value: \"limits.cpus\"",
        ],
    );
    app(
        "env: [{name: a, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 3Mi}}}]",
        &[
            "spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: \"limits.memory\": only divisor's",
        ],
    );
    app(
        "env: [{name: a, valueFrom: {configMapKeyRef: {name: c}}}]",
        &["spec.containers[0].env[0].valueFrom.configMapKeyRef.key: Required value"],
    );
    app(
        "envFrom: [{}]",
        &[
            "spec.containers[0].envFrom[0]: Invalid value: \"\": must specify one of: `configMapRef` or",
        ],
    );
    app(
        "envFrom: [{configMapRef: {}, prefix: 'a='}]",
        &[
            "spec.containers[0].envFrom[0].configMapRef.name: Required value",
            "spec.containers[0].envFrom[0].prefix: Invalid value",
        ],
    );
}

#[test]
fn mounts() {
    app(
        "volumeMounts: [{name: v, mountPath: /a}, {name: v, mountPath: /b, subPath: x/y, readOnly: true}]",
        &[],
    );
    app(
        "volumeMounts: [{name: z, mountPath: /a}]",
        &["spec.containers[0].volumeMounts[0].name: Not found: \"z\""],
    );
    app(
        "volumeMounts: [{}]",
        &[
            "spec.containers[0].volumeMounts[0].name: Required value",
            "spec.containers[0].volumeMounts[0].mountPath: Required value",
        ],
    );
    app(
        "volumeMounts: [{name: v, mountPath: /a}, {name: w, mountPath: /a}]",
        &["spec.containers[0].volumeMounts[1].mountPath: Invalid value: \"/a\": must be unique"],
    );
    app(
        "volumeMounts: [{name: v, mountPath: /a, subPath: /x}]",
        &[
            "spec.containers[0].volumeMounts[0].subPath: Invalid value: \"/x\": must be a relative path",
        ],
    );
    app(
        "volumeMounts: [{name: v, mountPath: /a, subPath: a/../b}]",
        &[
            "spec.containers[0].volumeMounts[0].subPath: Invalid value: \"a/../b\": must not contain '..'",
        ],
    );
    app(
        "volumeMounts: [{name: v, mountPath: /a, subPath: a, subPathExpr: b}]",
        &[
            "spec.containers[0].volumeMounts[0].subPathExpr: Invalid value: \"b\": subPathExpr and subPath are mutually",
        ],
    );
    app(
        "volumeMounts: [{name: v, mountPath: /a, mountPropagation: Bidirectional}]",
        &[
            "spec.containers[0].volumeMounts[0].mountPropagation: Forbidden: Bidirectional mount propagation is available",
        ],
    );
    app(
        "volumeMounts: [{name: v, mountPath: /a, recursiveReadOnly: Enabled}]",
        &[
            "spec.containers[0].volumeMounts[0].recursiveReadOnly: Forbidden: may only be specified when readOnly is true",
        ],
    );
}

#[test]
fn volumes() {
    spec(
        "volumes: [{name: a}, {name: b, hostPath: {path: /x, type: ''}}]",
        &[],
    );
    spec(
        "volumes: [{emptyDir: {}}]",
        &["spec.volumes[0].name: Required value"],
    );
    spec(
        "volumes: [{name: A}]",
        &["spec.volumes[0].name: Invalid value: \"A\": a lowercase RFC 1123 label"],
    );
    spec(
        "volumes: [{name: a}, {name: a}]",
        &["spec.volumes[1].name: Duplicate value: \"a\""],
    );
    spec(
        "volumes: [{name: a, emptyDir: {}, hostPath: {path: /x}, configMap: {name: c, optional: true}}]",
        &[
            "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type",
            "spec.volumes[0].configMap: Forbidden: may not specify more than 1 volume type",
        ],
    );
    spec(
        "volumes: [{name: a, hostPath: {}}]",
        &["spec.volumes[0].hostPath.path: Required value"],
    );
    spec(
        "volumes: [{name: a, hostPath: {path: /a/../b}}]",
        &["spec.volumes[0].hostPath.path: Invalid value: \"/a/../b\": must not contain '..'"],
    );
    spec(
        "volumes: [{name: a, hostPath: {path: /a, type: Folder}}]",
        &[
            "spec.volumes[0].hostPath.type: Unsupported value: \"Folder\": supported values: \"\", \"BlockDevice\"",
        ],
    );
    spec(
        "volumes: [{name: a, emptyDir: {sizeLimit: -1}}]",
        &[
            "spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity",
        ],
    );
    spec(
        "volumes: [{name: a, configMap: {}}, {name: b, secret: {}}]",
        &[
            "spec.volumes[0].configMap.name: Required value",
            "spec.volumes[1].secret.secretName: Required value",
        ],
    );
    spec(
        "volumes: [{name: a, configMap: {name: c, optional: true, defaultMode: 644, items: [{}]}}]",
        &[
            "spec.volumes[0].configMap.defaultMode: Invalid value: 644: must be a number between 0 and 0777 (octal), both",
            "spec.volumes[0].configMap.items[0].key: Required value",
            "spec.volumes[0].configMap.items[0].path: Required value",
        ],
    );
    spec(
        "volumes: [{name: a, secret: {secretName: c, optional: true, items: [{key: a, path: ..a}, {key: a, path: /a, mode: 0777}]}}]",
        &[
            "spec.volumes[0].secret.items[0].path: Invalid value: \"..a\": must not start with '..'",
            "spec.volumes[0].secret.items[1].path: Invalid value: \"/a\": must be a relative path",
        ],
    );
    spec(
        "volumes: [{name: a, downwardAPI: {items: [{path: a}, {path: b, fieldRef: {fieldPath: metadata.labels}}]}}]",
        &[
            "spec.volumes[0].downwardAPI.items[0]: Required value: one of fieldRef and resourceFieldRef is required",
        ],
    );
    spec(
        "volumes: [{name: a, projected: {sources: [{configMap: {name: c, optional: true, items: [{key: a, path: b}]}, \
         secret: {name: s, optional: true, items: [{key: a, path: b}]}}]}}]",
        &[
            "spec.volumes[0].projected.sources[0].configMap.items[0].path: Invalid value: \"b\": conflicting duplicate paths",
            "spec.volumes[0].projected.sources[0]: Forbidden: may not specify more than 1 volume type",
        ],
    );
}

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
fn resources() {
    app(
        "resources: {limits: {cpu: 1, memory: 1.5Gi}, requests: {cpu: 500m, example.com/x: 1}}",
        &[
            "spec.containers[0].resources.limits: Invalid value: \"1\": Limit must be set for non overcommitable resources",
        ],
    );
    app(
        "resources: {limits: {cpu: 500m}, requests: {cpu: 1}}",
        &[
            "spec.containers[0].resources.requests: Invalid value: \"1\": must be less than or equal to cpu limit of 500m",
        ],
    );
    app(
        "resources: {limits: {cpu: -1}}",
        &[
            "spec.containers[0].resources.limits[cpu]: Invalid value: \"-1\": must be greater than or equal to 0",
            "spec.containers[0].resources.requests[cpu]: Invalid value: \"-1\": must be greater than or equal to 0",
        ],
    );
    app(
        "resources: {requests: {memroy: 1Gi}}",
        &[
            "spec.containers[0].resources.requests[memroy]: Invalid value: \"memroy\": must be a standard resource type or",
        ],
    );
    app(
        "resources: {limits: {cpu: 1 core}}",
        &["spec.containers[0].resources.limits[cpu]: quantities must match the regular"],
    );
    app(
        "resources: {limits: {cpu: [1]}}",
        &["spec.containers[0].resources.limits[cpu]: cannot unmarshal array into Go struct"],
    );
    app(
        "resources: {limits: {example.com/gpu: 500m}}",
        &[
            "spec.containers[0].resources.limits[example.com/gpu]: Invalid value: \"500m\": must be an integer",
            "spec.containers[0].resources.requests[example.com/gpu]: Invalid value: \"500m\": must be an integer",
        ],
    );
    app(
        "resources: {limits: {hugepages-2Mi: 4Mi}}",
        &["spec.containers[0].resources: Forbidden: HugePages require cpu or memory"],
    );
    app(
        "resources: {claims: [{name: gpu}]}",
        &["spec.containers[0].resources.claims[0].name: Not found: \"gpu\""],
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

#[test]
fn the_rest_of_the_spec() {
    spec(
        "dnsPolicy: None",
        &["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"],
    );
    spec(
        "dnsPolicy: None, dnsConfig: {searches: [a]}",
        &[
            "spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None",
        ],
    );
    spec(
        "dnsPolicy: None, dnsConfig: {nameservers: [1.1.1.1, '::1'], searches: [a.b., .], options: [{name: ndots, value: '2'}]}",
        &[],
    );
    spec(
        "dnsConfig: {nameservers: [a, 1.1.1.1, 1.1.1.2, 1.1.1.3], options: [{}], searches: [A]}",
        &[
            "spec.dnsConfig.nameservers: Invalid value: 4: must not have more than 3 nameservers",
            "spec.dnsConfig.nameservers[0]: Invalid value: \"a\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
            "spec.dnsConfig.options[0]: Required value: must not be empty",
            "spec.dnsConfig.searches[0]: Invalid value: \"A\": a lowercase RFC 1123 subdomain",
        ],
    );
    spec(
        "activeDeadlineSeconds: 0",
        &[
            "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive",
        ],
    );
    spec("terminationGracePeriodSeconds: -1", &[]);
    spec(
        "terminationGracePeriodSeconds: 1.5",
        &["spec.terminationGracePeriodSeconds: cannot unmarshal number 1.5 into Go"],
    );
    spec(
        "hostname: a.b, subdomain: A",
        &[
            "spec.hostname: Invalid value: \"a.b\": must not contain dots",
            "spec.subdomain: Invalid value: \"A\": a lowercase RFC 1123 label",
        ],
    );
    spec(
        "hostAliases: [{ip: 1.2.3, hostnames: [a_b]}]",
        &[
            "spec.hostAliases[0].ip: Invalid value: \"1.2.3\": must be a valid IP address",
            "spec.hostAliases[0].hostnames[0]: Invalid value: \"a_b\": a lowercase RFC 1123 subdomain",
        ],
    );
    spec(
        "nodeSelector: {a b: c}",
        &["spec.nodeSelector: Invalid value: \"a b\": name part must consist"],
    );
    spec(
        "tolerations: [{key: a, operator: Exists, value: b}, {operator: Equal}, {key: a, effect: Never, tolerationSeconds: 1}]",
        &[
            "spec.tolerations[0].operator: Invalid value: \"b\": value must be empty when `operator` is 'Exists'",
            "spec.tolerations[1].operator: Invalid value: \"Equal\": operator must be Exists when `key` is empty",
            "spec.tolerations[2].effect: Invalid value: \"Never\": effect must be 'NoExecute' when `tolerationSeconds` is set",
            "spec.tolerations[2].effect: Unsupported value: \"Never\": supported values: \"NoSchedule\"",
        ],
    );
    spec(
        "serviceAccountName: A_",
        &["spec.serviceAccountName: Invalid value: \"A_\": a lowercase RFC 1123 subdomain"],
    );
    spec(
        "readinessGates: [{}]",
        &[
            "spec.readinessGates[0].conditionType: Invalid value: \"\": name part must be non-empty",
            "spec.readinessGates[0].conditionType: Invalid value: \"\": name part must consist of",
        ],
    );
}

#[test]
fn config_maps_and_secrets() {
    object(
        "kind: ConfigMap, metadata: {name: a}, data: {a.b: c, _d: ''}, binaryData: {e: aGk=}",
        &[],
    );
    object(
        "kind: ConfigMap, metadata: {name: a}, data: {a b: c}",
        &["data[a b]: Invalid value: \"a b\": a valid config key"],
    );
    object(
        "kind: ConfigMap, metadata: {name: a}, data: {..a: c}",
        &["data[..a]: Invalid value: \"..a\": must not start with"],
    );
    object(
        "kind: ConfigMap, metadata: {name: a}, data: {a: c}, binaryData: {a: aGk=}",
        &["data[a]: Invalid value: \"a\": duplicate of key present in binaryData"],
    );
    object(
        &format!(
            "kind: ConfigMap, metadata: {{name: a}}, data: {{a: {}}}",
            "x".repeat((1 << 20) + 1)
        ),
        &["data: Too long: may not be more than 1048576 bytes"],
    );
    object(
        "kind: ConfigMap, metadata: {name: a}, binaryData: {a: 'no base64'}",
        &["binaryData[a]: illegal base64 data at input byte 2"],
    );
    object(
        "kind: Secret, metadata: {name: a}, data: {a: aGk}",
        &["data[a]: illegal base64 data at input byte 3"],
    );
    object(
        "kind: Secret, metadata: {name: a}, data: {a: aGk=}, stringData: {b: c}",
        &[],
    );
    object(
        "kind: Secret, metadata: {name: a}, type: kubernetes.io/tls, stringData: {tls.crt: x}",
        &["data[tls.key]: Required value"],
    );
    object(
        "kind: Secret, metadata: {name: a}, type: kubernetes.io/dockerconfigjson, stringData: {.dockerconfigjson: x}",
        &[
            "data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": is not valid JSON",
        ],
    );
    object(
        "kind: Secret, metadata: {name: a}, type: kubernetes.io/basic-auth",
        &["data[username]: Required value"],
    );
    object(
        "kind: ConfigMap, metadata: {name: a}, data: {a: 1}",
        &["data[a]: cannot unmarshal number into Go struct field ConfigMap.data of type string"],
    );
}
