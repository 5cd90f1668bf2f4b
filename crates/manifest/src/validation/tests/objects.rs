//! Metadata, words, volumes and the spec as a whole; ConfigMaps and Secrets.

use super::{app, metadata, object, spec};

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
