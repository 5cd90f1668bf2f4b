use super::*;

fn read(text: &str) -> Result<Loaded, Vec<Diagnostic>> {
    load(&[Source {
        name: "pod.yaml".to_owned(),
        bytes: text.as_bytes().to_vec(),
    }])
}

fn refused(text: &str) -> Vec<Diagnostic> {
    match read(text) {
        Ok(loaded) => panic!("taken: {:?}", loaded.objects),
        Err(messages) => messages,
    }
}

fn lines(messages: &[Diagnostic]) -> Vec<String> {
    messages.iter().map(Diagnostic::one_line).collect()
}

const POD: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: app
    image: nginx
";

#[test]
fn a_plain_pod_is_taken_and_completed() {
    let loaded = read(POD).unwrap();
    assert_eq!(loaded.warnings, []);
    let [Object::Pod(pod)] = &loaded.objects[..] else {
        panic!("{:?}", loaded.objects)
    };
    assert_eq!(pod.object.metadata.namespace.as_deref(), Some("default"));
    assert_eq!(
        pod.object.spec.containers[0].image.as_deref(),
        Some("nginx")
    );
    assert_eq!(pod.origin.document, 0);
}

#[test]
fn all_faults_come_in_one_go_with_places() {
    let text = "\
apiVersion: v1
kind: Pod
metadata:
  name: web
  restartPolicy: Never
spec:
  containers:
  - name: app
    imge: nginx
    env:
    - name: PORT
      value: 8080
    ports:
    - containerPort: 99999
";
    assert_eq!(
        lines(&refused(text)),
        [
            "pod.yaml:5:3: error: unknown field \"metadata.restartPolicy\"",
            "pod.yaml:9:5: error: unknown field \"spec.containers[0].imge\"",
            "pod.yaml:12:14: error: spec.containers[0].env[0].value: cannot unmarshal number into Go struct field \
             EnvVar.spec.containers.env.value of type string",
            "pod.yaml:14:22: error: spec.containers[0].ports[0].containerPort: Invalid value: 99999: must be between 1 \
             and 65535, inclusive",
        ]
    );
}

#[test]
fn a_message_shows_the_place_and_what_to_do() {
    let text = POD.replace(
        "image: nginx",
        "image: nginx\n    env: [{name: PORT, value: 8080}]",
    );
    let [message] = &refused(&text)[..] else {
        panic!("one message")
    };
    assert_eq!(
        message.render(false),
        "\
error: spec.containers[0].env[0].value: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string
 --> pod.yaml:9:31
  |
9 |     env: [{name: PORT, value: 8080}]
  |                               ^^^^
  |
  = hint: this is text: put it in quotes, as \"8080\""
    );
    assert!(
        message.render(true).contains("\u{1b}["),
        "colour was asked for"
    );
}

#[test]
fn hints_name_the_nearest_field_or_where_it_belongs() {
    for (from, to, hint) in [
        (
            "image: nginx",
            "imagePullPolcy: Never",
            "did you mean `imagePullPolicy`?",
        ),
        ("image: nginx", "port: 80", "did you mean `ports`?"),
        ("image: nginx", "volumes: []", "`volumes` belongs in `spec`"),
        (
            "name: web",
            "restartPolicy: Never",
            "`restartPolicy` belongs in `spec`",
        ),
        ("name: web", "name: web\nreplicas: 2", ""),
        (
            "name: web",
            "name: web\nstatus: {}\nimage: x",
            "`image` belongs in `spec.containers[]`",
        ),
        (
            "image: nginx",
            "imagepullpolicy: Never",
            "did you mean `imagePullPolicy`?",
        ),
        (
            "spec:",
            "spec:\n  kind: x",
            "`kind` belongs at the top of the document, beside `kind`",
        ),
        ("kind: Pod", "kind: Pdo", "did you mean `Pod`?"),
        (
            "kind: Pod",
            "kind: Deployment",
            "a Pod of its `template` can be run",
        ),
        (
            "image: nginx",
            "command: sleep 1",
            "`command` is a list: write it as [\"...\"]",
        ),
        (
            "image: nginx",
            "image: {}\n    ports: {containerPort: 80}",
            "",
        ),
        (
            "image: nginx",
            "image: x\n    resources: [cpu]",
            "`resources` holds fields and is no list",
        ),
    ] {
        let messages = refused(&POD.replace(from, to));
        let hints: Vec<_> = messages
            .iter()
            .map(|message| message.hint.as_deref().unwrap_or(""))
            .collect();
        assert!(
            hints.iter().any(|told| told.starts_with(hint)),
            "{to}: {hints:?}"
        );
    }
}

#[test]
fn an_error_of_form_is_not_reported_twice() {
    for text in [
        POD.replace("image: nginx", "image: 1"),
        POD.replace("image: nginx", "imag: nginx"),
        POD.replace("- name: app", "  name: app"),
        POD.replace("image: nginx", "image: x\n    imagePullPolicy: always"),
        POD.replace(
            "image: nginx",
            "image: x\n    livenessProbe: {htpGet: {port: 1}}",
        ),
        POD.replace(
            "image: nginx",
            "image: x\n    ports: [{containerPort: eighty}]",
        ),
    ] {
        let messages = refused(&text);
        assert_eq!(messages.len(), 1, "{text}{messages:#?}");
    }
}

#[test]
fn what_is_not_an_object_is_named() {
    for (text, message) in [
        (
            "just text",
            "pod.yaml:1:1: error: this is no Kubernetes object",
        ),
        ("- a\n", "pod.yaml:1:1: error: this is no Kubernetes object"),
        (
            "a: 1\nkind: Pod\n",
            "pod.yaml:1:1: error: Object 'apiVersion' is missing",
        ),
        (
            "apiVersion: v1\n",
            "pod.yaml:1:1: error: Object 'Kind' is missing",
        ),
        (
            "apiVersion: apps/v1\nkind: Pod\n",
            "pod.yaml:1:13: error: no matches for kind \"Pod\" in version \"apps/v1\"",
        ),
        (
            "apiVersion: v1\nkind: Service\n",
            "pod.yaml:2:7: error: kind Service (v1) is not supported yet",
        ),
        (
            "apiVersion: v1\nkind: Widget\n",
            "pod.yaml:2:7: error: no matches for kind \"Widget\" in version \"v1\"",
        ),
    ] {
        assert_eq!(lines(&refused(text)), [message], "{text}");
    }
}

#[test]
fn binary_input_is_one_short_error() {
    for bytes in [
        &b"\x7fELF\x02\x01\x01\x00"[..],
        b"\xff\xfe\x00",
        b"a: \xc3\x28\n",
        &[0; 4096],
    ] {
        let source = Source {
            name: "x".to_owned(),
            bytes: bytes.to_vec(),
        };
        let messages = load(&[source]).unwrap_err();
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert!(
            messages[0].render(false).chars().count() < 500,
            "{}",
            messages[0].render(false)
        );
    }
}

#[test]
fn nothing_to_read_gives_nothing() {
    for text in [
        "",
        "\n",
        "# only a comment\n",
        "---\n---\n# x\n...\n",
        "\u{feff}",
    ] {
        assert_eq!(read(text).unwrap().objects.len(), 0, "{text:?}");
    }
}

#[test]
fn lists_and_documents_are_flattened_and_keep_their_places() {
    let text = "\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: a}
- apiVersion: v1
  kind: List
  items:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: B}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {'no good': x}
";
    let messages = lines(&refused(text));
    assert_eq!(messages.len(), 2, "{messages:#?}");
    assert!(
        messages[0].starts_with("pod.yaml:10:56: error: metadata.name: Invalid value: \"B\""),
        "{messages:#?}"
    );
    assert!(
        messages[1].starts_with("pod.yaml:15:19: error: data[no good]: Invalid value"),
        "{messages:#?}"
    );
    let good = text
        .replace("name: B", "name: b")
        .replace("'no good'", "good");
    let names: Vec<_> = read(&good)
        .unwrap()
        .objects
        .iter()
        .map(|object| object.metadata().name.clone().unwrap())
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
}

#[test]
fn two_objects_of_one_name_are_an_error_that_shows_both() {
    let two = format!("{POD}---\n{POD}");
    let [message] = &refused(&two)[..] else {
        panic!("one message")
    };
    assert_eq!(
        message.one_line(),
        "pod.yaml:13:9: error: Pod \"web\" is given twice"
    );
    assert_eq!(message.excerpts[1].line, 4);
    let other = two.replacen("name: web", "name: web\n  namespace: other", 1);
    assert_eq!(read(&other).unwrap().objects.len(), 2);
}

#[test]
fn duplicate_keys_name_both_lines() {
    let [message] = &refused(&POD.replace("spec:", "kind: Pod\nspec:"))[..] else {
        panic!("one message")
    };
    assert_eq!(
        message.one_line(),
        "pod.yaml:5:1: error: duplicate key \"kind\" (first given on line 2)"
    );
    assert_eq!(message.excerpts[1].line, 2);
}

#[test]
fn fields_that_are_not_honoured_give_one_warning_each() {
    let text = "\
apiVersion: v1
kind: Pod
metadata:
  name: web
  finalizers: [a/b]
spec:
  nodeSelector: {disk: ssd}
  affinity: {nodeAffinity: {}}
  schedulerName: default-scheduler
  serviceAccountName: robot
  automountServiceAccountToken: false
  tolerations:
  - {operator: Exists}
  - {key: a, operator: Exists}
  priority: 0
  hostUsers: true
  topologySpreadConstraints: []
  containers:
  - name: app
    image: nginx
    resources: {limits: {ephemeral-storage: 1Gi, example.com/gpu: 1}}
    livenessProbe: {grpc: {port: 80}}
    securityContext:
      seccompProfile: {type: Localhost, localhostProfile: p.json}
      appArmorProfile: {type: Unconfined}
  volumes:
  - name: token
    projected: {sources: [{serviceAccountToken: {path: t}}]}
status: {phase: Running, hostIP: 10.0.0.1}
";
    let loaded = read(text).unwrap();
    let fields: Vec<_> = loaded
        .warnings
        .iter()
        .map(|warning| warning.message.split(": ").next().unwrap())
        .collect();
    assert_eq!(
        fields,
        [
            "metadata.finalizers",
            "spec.nodeSelector",
            "spec.affinity",
            "spec.serviceAccountName",
            "spec.tolerations",
            "spec.containers[0].resources.limits[ephemeral-storage]",
            "spec.containers[0].resources.limits[example.com/gpu]",
            "spec.containers[0].securityContext.seccompProfile.localhostProfile",
            "spec.volumes[0].projected.sources[0].serviceAccountToken",
        ]
    );
    assert_eq!(
        loaded.warnings[1].one_line(),
        "pod.yaml:7:3: warning: spec.nodeSelector: not honoured; it would keep the Pod off nodes without these labels"
    );
}

#[test]
fn volumes_of_clusters_are_refused_with_a_way_out() {
    let text =
        format!("{POD}  volumes:\n  - name: d\n    persistentVolumeClaim: {{claimName: c}}\n");
    let [message] = &refused(&text)[..] else {
        panic!("one message")
    };
    assert_eq!(
        message.one_line(),
        "pod.yaml:11:5: error: spec.volumes[0].persistentVolumeClaim: not supported on one machine"
    );
    assert_eq!(
        message.hint.as_deref(),
        Some("there is no storage provisioner; use hostPath or emptyDir")
    );
}

#[test]
fn keys_that_an_object_does_not_have_are_warned_about() {
    let text = "\
apiVersion: v1
kind: Secret
metadata: {name: login}
stringData: {password: x}
---
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
  - name: app
    image: nginx
    env:
    - {name: A, valueFrom: {secretKeyRef: {name: login, key: password}}}
    - {name: B, valueFrom: {secretKeyRef: {name: login, key: other, optional: true}}}
    - {name: C, valueFrom: {secretKeyRef: {name: login, key: pasword}}}
";
    let loaded = read(text).unwrap();
    let [warning] = &loaded.warnings[..] else {
        panic!("one warning: {:?}", loaded.warnings)
    };
    assert_eq!(
        warning.one_line(),
        "pod.yaml:16:62: warning: spec.containers[0].env[2].valueFrom.secretKeyRef.key: Secret \"login\" has no key \"pasword\"; the Pod would wait for it"
    );
    assert_eq!(warning.hint.as_deref(), Some("did you mean `password`?"));
}

#[test]
fn references_that_lead_nowhere_are_warned_about() {
    let text = "\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: app
    image: nginx
    envFrom: [{configMapRef: {name: confg}}, {secretRef: {name: gone, optional: true}}]
    readinessProbe: {httpGet: {port: htp}}
    ports: [{name: http, containerPort: 80, hostPort: 80}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: config}
data: {y: a}
---
apiVersion: v1
kind: Pod
metadata: {name: web-2}
spec: {containers: [{name: app, image: nginx, ports: [{containerPort: 80, hostPort: 80}]}]}
";
    let warnings = read(text).unwrap().warnings;
    assert_eq!(
        lines(&warnings),
        [
            "pod.yaml:8:37: warning: spec.containers[0].envFrom[0].configMapRef.name: no ConfigMap \"confg\" is among \
             the manifests; the Pod would wait for it",
            "pod.yaml:9:38: warning: spec.containers[0].readinessProbe.httpGet.port: no port of this container is \
             named \"htp\", so this always fails",
            "pod.yaml:15:11: warning: data[true]: the key y is read as \"true\"",
            "pod.yaml:20:85: warning: spec.containers[0].ports[0].hostPort: Pod \"web\" wants port 80/TCP of this \
             machine too",
        ]
    );
    assert_eq!(warnings[0].hint.as_deref(), Some("did you mean `config`?"));
    assert_eq!(warnings[1].hint.as_deref(), Some("did you mean `http`?"));
}

#[test]
fn keys_of_files_need_a_volume_that_somebody_mounts() {
    let text = "\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  volumes: [{name: files, emptyDir: {}}, {name: bare, emptyDir: {}}]
  containers:
  - name: app
    image: nginx
    volumeMounts: [{name: files, mountPath: /f}]
    env:
    - {name: A, valueFrom: {fileKeyRef: {volumeName: files, path: env, key: A}}}
    - {name: B, valueFrom: {fileKeyRef: {volumeName: bare, path: env, key: B}}}
    - {name: C, valueFrom: {fileKeyRef: {volumeName: file, path: env, key: C, optional: true}}}
";
    let warnings = read(text).unwrap().warnings;
    assert_eq!(
        lines(&warnings),
        [
            "pod.yaml:12:54: warning: spec.containers[0].env[1].valueFrom.fileKeyRef.volumeName: no container mounts the \
             volume \"bare\"; this one would wait for it",
            "pod.yaml:13:54: warning: spec.containers[0].env[2].valueFrom.fileKeyRef.volumeName: no volume of this Pod is \
             named \"file\"; the container would wait for it",
        ]
    );
    assert_eq!(warnings[1].hint.as_deref(), Some("did you mean `files`?"));
}

#[test]
fn secret_values_never_show() {
    const PASSWORD: &str = "hunter2";
    for text in [
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {p: hunter2}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringdata: {p: hunter2}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {p: [hunter2]}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: hunter2\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: A}\nstringData: {p: hunter2}\n",
        "{apiVersion: v1, kind: Secret, metadata: {name: A}, stringData: {p: hunter2}}\n",
        "{stringData: {p: hunter2}, apiVersion: v1, kind: Secret, metadata: {name: A}}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a, annotations: {a b: hunter2}}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {p: hunter2, p: hunter2}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  p: @hunter2\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {p: !!int hunter2}\n",
        "{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"stringData\": {\"p\": \"hunter2\"",
        "apiVersion: v1\nkind: secret\nmetadata: {name: a}\nstringData: {p: hunter2}\n",
        "apiVersion: v1\nstringData: {p: hunter2}\n",
        "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Secret, metadata: {name: A}, data: {p: hunter2}}]\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ntype: kubernetes.io/tls\nstringData: {p: hunter2}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ntype: kubernetes.io/dockerconfigjson\n\
         stringData: {.dockerconfigjson: hunter2}\n",
    ] {
        let messages = refused(text);
        for message in &messages {
            let shown = format!(
                "{}\n{}\n{message:?}",
                message.one_line(),
                message.render(false)
            );
            assert!(!shown.contains(PASSWORD), "{text}\n{shown}");
        }
    }
}

#[test]
fn a_secret_does_not_show_when_printed_for_debugging() {
    let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {p: aHVudGVyMg==}\n";
    let loaded = read(text).unwrap();
    let [Object::Secret(secret)] = &loaded.objects[..] else {
        panic!("a Secret")
    };
    assert_eq!(secret.object.data["p"].0, b"hunter2");
    assert!(!format!("{:?}", secret.object).contains("hunter2"));
}

#[test]
fn sources_are_told_apart() {
    let source = |name: &str, text: &str| Source {
        name: name.to_owned(),
        bytes: text.as_bytes().to_vec(),
    };
    let sources = [
        source("b.yaml", POD),
        source("a.yaml", "kind: x"),
        source("c.yaml", "{"),
    ];
    let messages = load(&sources).unwrap_err();
    let files: Vec<_> = messages
        .iter()
        .map(|message| message.file.as_str())
        .collect();
    assert_eq!(files, ["a.yaml", "c.yaml"]);
}
