//! Users and groups, seen from inside.

use std::os::unix::fs::{MetadataExt, chown};

use container::Step;

use crate::fixture::Fixture;

pub(crate) const TESTS: &[crate::Test] = &[
    ("names_and_numbers", names_and_numbers),
    ("an_unknown_user_is_an_error", an_unknown_user_is_an_error),
    ("a_user_without_capabilities", a_user_without_capabilities),
    (
        "a_user_can_reopen_its_streams",
        a_user_can_reopen_its_streams,
    ),
    (
        "a_private_directory_can_be_the_working_directory",
        a_private_directory_can_be_the_working_directory,
    ),
];

fn names_and_numbers() {
    let pod = Fixture::new();
    let mut spec = pod.spec(&["sh", "-c", "id -u; id -g; id -G; echo $HOME"]);
    spec.process.user.image_user = "app".into();
    spec.process.user.supplemental_groups = vec![3000];
    assert_eq!(
        pod.run(&spec).stdout,
        "1000\n1001\n1001 44 3000\n/home/app\n"
    );
    let mut spec = pod.spec(&["sh", "-c", "id -u; id -G; echo $HOME"]);
    spec.process.user.run_as_user = Some(4711);
    spec.process.user.run_as_group = Some(12);
    assert_eq!(pod.run(&spec).stdout, "4711\n12\n/\n");
}

fn an_unknown_user_is_an_error() {
    let pod = Fixture::new();
    let mut spec = pod.spec(&["true"]);
    spec.process.user.image_user = "ghost".into();
    let error = pod.error(&spec);
    assert_eq!(error.step, Step::User);
    assert_eq!(
        error.message,
        "unable to find user ghost: no matching entries in passwd file"
    );
    // A pipe in its place must not block the start.
    let image = pod.image().join("etc/passwd");
    std::fs::remove_file(&image).expect("rm");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &image,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o644),
        0,
    )
    .expect("mkfifo");
    let mut spec = pod.spec(&["true"]);
    spec.process.user.image_user = "root".into();
    assert!(pod.error(&spec).message.contains("not a plain file"));
}

fn a_user_without_capabilities() {
    let pod = Fixture::new();
    let mut spec = pod.spec(&[
        "sh",
        "-c",
        "grep Cap /proc/self/status; chown app /tmp || exit 9",
    ]);
    spec.process.user.run_as_user = Some(1000);
    let outcome = pod.run(&spec);
    assert_eq!(
        outcome.stdout,
        "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n\
         CapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\n"
    );
    assert_eq!(outcome.status.code, 9);
}

fn a_user_can_reopen_its_streams() {
    let pod = Fixture::new();
    let mut spec = pod.spec(&["sh", "-c", "echo one > /dev/stdout; echo two > /dev/stderr"]);
    spec.process.user.run_as_user = Some(1000);
    let outcome = pod.run(&spec);
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        ("one\n", "two\n")
    );
    let null = std::fs::metadata("/dev/null").expect("stat");
    assert_eq!(null.uid(), 0, "the machine's /dev/null keeps its owner");
}

fn a_private_directory_can_be_the_working_directory() {
    let pod = Fixture::new();
    let private = pod.image().join("home/app");
    chown(&private, Some(1000), Some(1001)).expect("chown");
    std::fs::set_permissions(
        &private,
        std::os::unix::fs::PermissionsExt::from_mode(0o700),
    )
    .expect("chmod");
    let mut spec = pod.spec(&["pwd"]);
    spec.process.user.image_user = "app".into();
    spec.process.cwd = "/home/app".into();
    spec.process.capabilities.drop = vec!["ALL".into()];
    assert_eq!(pod.run(&spec).stdout, "/home/app\n");
}
