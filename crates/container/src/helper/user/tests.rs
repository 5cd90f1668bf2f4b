use super::*;

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh
# a comment
broken line
app:x:1000:1001:An App:/home/app:/bin/sh
4242:x:77:78::/digits:
nohome:x:5:6::";
const GROUP: &str = "root:x:0:
app:x:1001:
disk:x:6:root,app
video:x:44:app
web:x:2000:other";

fn resolved(spec: UserSpec) -> Identity {
    identity(&spec, PASSWD, GROUP).expect("resolvable")
}

fn image(user: &str) -> UserSpec {
    UserSpec {
        image_user: user.into(),
        ..Default::default()
    }
}

#[test]
fn image_users() {
    let case = |user: &str, uid: u32, groups: &[u32], home: &str| {
        let identity = resolved(image(user));
        assert_eq!(
            (
                identity.uid,
                identity.groups.as_slice(),
                identity.home.as_str()
            ),
            (uid, groups, home),
            "{user}"
        );
    };
    case("", 0, &[0, 6], "/root");
    case("app", 1000, &[1001, 6, 44], "/home/app");
    case("1000", 1000, &[1001, 6, 44], "/home/app");
    case("app:web", 1000, &[2000, 6, 44], "/home/app");
    case("app:55", 1000, &[55, 6, 44], "/home/app");
    case("31337", 31337, &[0], "/");
    case("31337:31337", 31337, &[31337], "/");
    // A name of digits is a name.
    case("4242", 77, &[78], "/digits");
    case("nohome", 5, &[6], "/");
}

#[test]
fn the_pod_overrides_the_image() {
    let spec = UserSpec {
        run_as_user: Some(4242),
        ..image("app:web")
    };
    assert_eq!(resolved(spec).uid, 4242, "runAsUser is never a name");
    let spec = UserSpec {
        run_as_user: Some(1000),
        ..image("root")
    };
    assert_eq!(resolved(spec).gid, 1001, "the group of the passwd entry");
    let spec = UserSpec {
        run_as_group: Some(9),
        ..image("app:web")
    };
    assert_eq!(resolved(spec).gid, 9);
}

#[test]
fn supplemental_groups_merge_or_not() {
    let spec = UserSpec {
        supplemental_groups: vec![3000, 44, 3000],
        ..image("app")
    };
    assert_eq!(resolved(spec.clone()).groups, [1001, 6, 44, 3000]);
    let strict = UserSpec {
        supplemental_groups_policy: SupplementalGroupsPolicy::Strict,
        ..spec
    };
    assert_eq!(resolved(strict).groups, [1001, 44, 3000]);
}

#[test]
fn unknown_names_are_named() {
    let error = identity(&image("nobody-here"), PASSWD, GROUP).expect_err("unknown");
    assert_eq!(
        error.message,
        "unable to find user nobody-here: no matching entries in passwd file"
    );
    assert_eq!(error.step, Step::User);
    let error = identity(&image("app:nogroup"), PASSWD, GROUP).expect_err("unknown");
    assert!(error.message.contains("unable to find group nogroup"));
}
