//! Names, ports, environment, mounts and resources of containers.

use super::{app, init, spec};

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
        "env: [{name: a, valueFrom: {fileKeyRef: {volumeName: v, path: a/b.env, key: K}}}]",
        &[],
    );
    app(
        "env: [{name: a, valueFrom: {fileKeyRef: {}}}]",
        &[
            "spec.containers[0].env[0].valueFrom.fileKeyRef.volumeName: Required value",
            "spec.containers[0].env[0].valueFrom.fileKeyRef.path: Required value",
            "spec.containers[0].env[0].valueFrom.fileKeyRef.key: Required value",
        ],
    );
    app(
        "env: [{name: a, valueFrom: {fileKeyRef: {volumeName: v, path: ../b.env, key: 'K=1'}}}]",
        &[
            "spec.containers[0].env[0].valueFrom.fileKeyRef.path: Invalid value: \"../b.env\": must not contain '..'",
            "spec.containers[0].env[0].valueFrom.fileKeyRef.key: Invalid value: \"K=1\"",
        ],
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
