use super::*;

fn image(entrypoint: &[&str], cmd: &[&str]) -> ImageConfig {
    let strings = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    ImageConfig {
        entrypoint: strings(entrypoint),
        cmd: strings(cmd),
        ..ImageConfig::default()
    }
}

fn container(command: &[&str], args: &[&str]) -> Container {
    let strings = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    Container {
        name: "app".into(),
        command: strings(command),
        args: strings(args),
        ..Container::default()
    }
}

fn argv(container: &Container, image: &ImageConfig) -> Vec<String> {
    let mut variables = Variables::default();
    variables.set("WHO", "world".into());
    process(container, None, image, &variables, "host")
        .expect("process")
        .args
}

#[test]
fn r18_5_command_and_args_over_entrypoint_and_cmd() {
    let both = image(&["/entry"], &["default"]);
    assert_eq!(argv(&container(&[], &[]), &both), ["/entry", "default"]);
    assert_eq!(argv(&container(&[], &["arg"]), &both), ["/entry", "arg"]);
    assert_eq!(argv(&container(&["cmd"], &[]), &both), ["cmd"]);
    assert_eq!(argv(&container(&["cmd"], &["arg"]), &both), ["cmd", "arg"]);
    assert_eq!(
        argv(&container(&["echo", "$(WHO)", "$(NOBODY)"], &[]), &both),
        ["echo", "world", "$(NOBODY)"]
    );
}

#[test]
fn a_container_without_any_command_is_a_config_error() {
    let error = process(
        &container(&[], &[]),
        None,
        &image(&[], &[]),
        &Variables::default(),
        "h",
    );
    assert!(
        error
            .expect_err("no command")
            .to_string()
            .starts_with("no command specified")
    );
}

#[test]
fn the_manifest_overrides_the_images_environment() {
    let mut variables = Variables::default();
    variables.set("A", "manifest".into());
    let image = ImageConfig {
        env: vec!["A=image".into(), "B=b=c".into()],
        cmd: vec!["x".into()],
        ..ImageConfig::default()
    };
    let env = process(&container(&[], &[]), None, &image, &variables, "h")
        .expect("process")
        .env;
    let get = |name: &str| {
        env.iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(get("A"), Some("manifest"));
    assert_eq!(get("B"), Some("b=c"));
    assert_eq!(get("HOSTNAME"), Some("h"));
    assert!(get("PATH").is_some_and(|path| path.contains("/usr/bin")));
}

#[test]
fn run_as_non_root_is_judged_before_anything_runs() {
    let case = |run_as_user: Option<i64>, image_user: &str| {
        let context = SecurityContext {
            run_as_non_root: Some(true),
            run_as_user,
            ..SecurityContext::default()
        };
        let container = Container {
            security_context: Some(context),
            ..container(&["x"], &[])
        };
        let image = ImageConfig {
            user: image_user.into(),
            ..ImageConfig::default()
        };
        process(&container, None, &image, &Variables::default(), "h")
            .err()
            .map(|error| error.to_string())
    };
    assert_eq!(case(Some(1000), ""), None);
    assert_eq!(case(None, "1000:1000"), None);
    assert_eq!(
        case(Some(0), "").as_deref(),
        Some("container's runAsUser breaks non-root policy")
    );
    assert_eq!(
        case(None, "").as_deref(),
        Some("container has runAsNonRoot and image will run as root")
    );
    assert!(case(None, "nginx").is_some_and(|text| text.contains("non-numeric user (nginx)")));
}
