//! Mounts of the caller.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use container::{Mount, MountPropagation, MountSource, PodTmpfs, Rootfs, SandboxSpec, Step};
use rustix::fs::{Mode, OFlags};

use crate::fixture::{Fixture, file_fd};

pub(crate) const TESTS: &[crate::Test] = &[
    ("files_and_directories_appear", files_and_directories_appear),
    ("read_only_mounts", read_only_mounts),
    ("the_root_can_be_read_only", the_root_can_be_read_only),
    ("volumes_in_memory_are_shared", volumes_in_memory_are_shared),
    ("sub_paths", sub_paths),
    ("linked_targets_do_not_escape", linked_targets_do_not_escape),
    ("targets_that_cannot_be", targets_that_cannot_be),
    ("deeper_mounts_come_later", deeper_mounts_come_later),
    ("propagation", propagation),
    (
        "layers_stack_and_writes_go_to_the_top",
        layers_stack_and_writes_go_to_the_top,
    ),
    (
        "layers_the_new_mount_api_refuses_are_mounted_too",
        layers_the_new_mount_api_refuses_are_mounted_too,
    ),
    ("a_directory_can_be_the_root", a_directory_can_be_the_root),
    ("missing_sources_are_told", missing_sources_are_told),
];

fn volume(pod: &Fixture) -> PathBuf {
    let path = pod.dir.path().join("volume");
    fs::create_dir_all(&path).expect("mkdir");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).expect("chmod");
    path
}

fn files_and_directories_appear() {
    let pod = Fixture::new();
    let volume = volume(&pod);
    fs::write(volume.join("in"), "hello").expect("write");
    let mut spec = pod.shell("cat /data/in /etc/one; echo out > /data/out; stat -c %F /etc/one");
    spec.mounts = vec![
        Mount::new(MountSource::path(&volume), "/data"),
        Mount::new(MountSource::path(volume.join("in")), "/etc/one"),
        Mount::new(
            MountSource::Fd {
                fd: file_fd(&volume).into(),
                sub_path: None,
            },
            "/by/descriptor",
        ),
    ];
    assert_eq!(pod.run(&spec).stdout, "hellohelloregular file\n");
    assert_eq!(
        fs::read_to_string(volume.join("out")).expect("read"),
        "out\n"
    );
}

fn read_only_mounts() {
    let pod = Fixture::new();
    let volume = volume(&pod);
    let mut spec = pod.shell("touch /data/x; echo $?; touch /rro/x; echo $?");
    let recursive = Mount {
        recursive_read_only: true,
        ..Mount::new(MountSource::path(&volume), "/rro").read_only()
    };
    spec.mounts = vec![
        Mount::new(MountSource::path(&volume), "/data").read_only(),
        recursive,
    ];
    let outcome = pod.run(&spec);
    assert_eq!(outcome.stdout, "1\n1\n");
    assert_eq!(
        outcome.stderr.matches("Read-only file system").count(),
        2,
        "{outcome:?}"
    );
    fs::write(volume.join("y"), "").expect("still writable outside");
}

fn the_root_can_be_read_only() {
    let pod = Fixture::new();
    let volume = volume(&pod);
    let mut spec = pod.shell("touch /x; touch /new/y && touch /dev/shm/z && echo volumes");
    spec.read_only_root = true;
    spec.mounts = vec![Mount::new(MountSource::path(&volume), "/new")];
    let outcome = pod.run(&spec);
    assert!(
        outcome.stderr.contains("/x: Read-only file system"),
        "{outcome:?}"
    );
    assert_eq!(outcome.stdout, "volumes\n");
}

fn volumes_in_memory_are_shared() {
    let tmpfs = |name: &str, size_bytes, mode| PodTmpfs {
        name: name.into(),
        size_bytes,
        mode,
    };
    let pod = Fixture::with(&SandboxSpec {
        tmpfs: vec![
            tmpfs("secret", None, 0o755),
            tmpfs("memory", Some(1 << 20), 0o777),
        ],
        ..Default::default()
    });
    let secret = pod.sandbox.tmpfs("secret").expect("secret");
    let file = rustix::fs::openat(
        secret,
        "token",
        OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC,
        Mode::from_raw_mode(0o400),
    )
    .expect("create");
    fs::File::from(file).write_all(b"s3cret").expect("write");
    let mounts = || {
        vec![
            Mount::new(MountSource::tmpfs("secret"), "/run/secret").read_only(),
            Mount::new(MountSource::tmpfs("memory"), "/cache"),
        ]
    };
    let mut spec = pod.shell("cat /run/secret/token; touch /run/secret/x; echo shared > /cache/f");
    spec.mounts = mounts();
    let outcome = pod.run(&spec);
    assert_eq!(outcome.stdout, "s3cret");
    assert!(outcome.stderr.contains("Read-only"), "{outcome:?}");
    let mut spec = pod
        .shell("cat /cache/f; df /cache | tail -1 | tr -s ' ' | cut -d' ' -f2; stat -c %a /cache");
    spec.mounts = mounts();
    assert_eq!(pod.run(&spec).stdout, "shared\n1024\n777\n");
    let table = fs::read_to_string("/proc/self/mountinfo").expect("read");
    assert!(
        !table.contains("volume-") && !table.contains("secret"),
        "no trace on the machine"
    );
    assert_eq!(pod.output("echo a > /dev/shm/x; cat /dev/shm/x"), "a\n");
    assert_eq!(pod.output("cat /dev/shm/x"), "a\n", "/dev/shm is the Pod's");
    let mut spec = pod.spec(&["true"]);
    spec.mounts = vec![Mount::new(MountSource::tmpfs("other"), "/x")];
    assert_eq!(
        pod.error(&spec).message,
        "mount /x: the Pod has no tmpfs `other`"
    );
}

fn sub_paths() {
    let pod = Fixture::new();
    let volume = volume(&pod);
    fs::write(volume.join("file"), "f").expect("write");
    symlink("..", volume.join("out")).expect("symlink");
    symlink("file", volume.join("inner")).expect("symlink");
    let with = |sub: &str| {
        let source = MountSource::Path {
            path: volume.clone(),
            sub_path: Some(sub.into()),
        };
        let mut spec = pod.shell("stat -c '%F %a' /m");
        spec.mounts = vec![Mount::new(source, "/m")];
        spec
    };
    assert_eq!(
        pod.run(&with("file")).stdout.split(' ').next(),
        Some("regular")
    );
    assert_eq!(
        pod.run(&with("inner")).stdout.split(' ').next(),
        Some("regular")
    );
    assert_eq!(pod.run(&with("made/deep")).stdout, "directory 777\n");
    for bad in ["out/volume", "../volume", "/etc"] {
        let error = pod.error(&with(bad));
        assert_eq!(error.step, Step::Mount);
        assert!(
            error.message.contains("leads out of its volume"),
            "{bad}: {error}"
        );
    }
}

fn linked_targets_do_not_escape() {
    let pod = Fixture::new();
    let volume = volume(&pod);
    let outside = pod.dir.path().join("outside");
    fs::create_dir(&outside).expect("mkdir");
    symlink(&outside, pod.image().join("abs")).expect("symlink");
    symlink("../../../../../..", pod.image().join("tmp/up")).expect("symlink");
    symlink("/run/made/by/systemd", pod.image().join("etc/dangling")).expect("symlink");
    let mut spec = pod
        .shell("ls -d /*/outside /volume/made /run/made/by/systemd 2>/dev/null; cat /etc/dangling");
    fs::write(volume.join("f"), "content").expect("write");
    spec.mounts = vec![
        Mount::new(MountSource::path(&volume), "/abs/made"),
        Mount::new(MountSource::path(&volume), "/tmp/up/volume"),
        Mount::new(MountSource::path(volume.join("f")), "/etc/dangling"),
    ];
    let outcome = pod.run(&spec);
    assert!(
        outcome.stdout.ends_with("/run/made/by/systemd\ncontent"),
        "{outcome:?}"
    );
    assert_eq!(
        fs::read_dir(&outside).expect("readdir").count(),
        0,
        "nothing was made outside"
    );
    assert!(
        !std::path::Path::new("/volume").exists() && !std::path::Path::new("/run/made").exists()
    );
}

fn targets_that_cannot_be() {
    let pod = Fixture::new();
    let volume = volume(&pod);
    for (target, why) in [
        ("relative", "not absolute"),
        ("/a/../b", "contains \"..\""),
        ("/", "the root cannot"),
        ("/proc/sys", "inside /proc"),
        ("/proc/self/attr", "inside /proc"),
    ] {
        let mut spec = pod.spec(&["true"]);
        spec.mounts = vec![Mount::new(MountSource::path(&volume), target)];
        let error = pod.error(&spec);
        assert!(error.message.contains(why), "{target}: {error}");
    }
}

fn deeper_mounts_come_later() {
    let pod = Fixture::new();
    let volume = volume(&pod);
    fs::write(volume.join("f"), "deep").expect("write");
    let other = pod.dir.path().join("other");
    fs::create_dir(&other).expect("mkdir");
    let mut spec = pod.shell("cat /a/b/f");
    spec.mounts = vec![
        Mount::new(MountSource::path(&volume), "/a/b"),
        Mount::new(MountSource::path(&other), "/a"),
    ];
    assert_eq!(pod.run(&spec).stdout, "deep");
}

/// On a mount of our own, made shared, since the machine's may be private.
fn propagation() {
    use rustix::mount::{
        MountFlags, MountPropagationFlags as P, UnmountFlags, mount, mount_change, unmount,
    };
    let pod = Fixture::new();
    let volume = volume(&pod);
    let with = |propagation, script: &str| {
        let mut spec = pod.shell(script);
        let mount = Mount::new(MountSource::path(&volume), "/v");
        spec.mounts = vec![Mount {
            propagation,
            ..mount
        }];
        spec
    };
    mount("tmpfs", &volume, "tmpfs", MountFlags::empty(), None).expect("mount");
    mount_change(&volume, P::PRIVATE).expect("private");
    let error = pod.error(&with(MountPropagation::Bidirectional, "true"));
    assert!(
        error.message.contains("is not on a shared mount"),
        "{error}"
    );
    mount_change(&volume, P::SHARED).expect("shared");
    fs::create_dir(volume.join("sub")).expect("mkdir");

    let script = "mount -t tmpfs inner /v/sub; echo ready; until test -e /v/go; do sleep 0.01; done; ls /v/sub";
    let mut spec = with(MountPropagation::Bidirectional, script);
    spec.privileged = true;
    let (running, [mut out, _err]) = pod.start(&spec);
    let running = running.expect("start");
    let mut ready = [0; 6];
    std::io::Read::read_exact(&mut out, &mut ready).expect("read");
    let table = fs::read_to_string("/proc/self/mountinfo").expect("read");
    let arrived = table.contains(" inner ");
    fs::write(volume.join("go"), "").expect("write");
    running.wait().expect("wait");
    let _ = unmount(volume.join("sub"), UnmountFlags::DETACH);

    let script = "until test -e /v/sub/x; do sleep 0.01; done; echo seen";
    let (slave, files) = pod.start(&with(MountPropagation::HostToContainer, script));
    let slave = slave.expect("start");
    mount(
        "tmpfs",
        volume.join("sub"),
        "tmpfs",
        MountFlags::empty(),
        None,
    )
    .expect("mount");
    fs::write(volume.join("sub/x"), "").expect("write");
    let seen = crate::fixture::collect(&slave, files).stdout;
    unmount(volume.join("sub"), UnmountFlags::DETACH).expect("unmount");
    unmount(&volume, UnmountFlags::DETACH).expect("unmount");
    assert!(arrived, "{table}");
    assert_eq!(seen, "seen\n");
}

fn layers_stack_and_writes_go_to_the_top() {
    let pod = Fixture::new();
    let top = pod.dir.path().join("top layer: with, odd\\name");
    fs::create_dir_all(top.join("etc")).expect("mkdir");
    fs::write(top.join("etc/group"), "from the top\n").expect("write");
    let mut spec = pod.shell("cat /etc/group; echo x > /etc/passwd; rm /etc/group");
    let Rootfs::Overlay { lower, upper, .. } = &mut spec.rootfs else {
        panic!("an overlay")
    };
    lower.insert(0, top.clone());
    let upper = upper.clone();
    assert_eq!(pod.run(&spec).stdout, "from the top\n");
    assert_eq!(
        fs::read_to_string(upper.join("etc/passwd")).expect("read"),
        "x\n"
    );
    assert!(top.join("etc/group").exists() && pod.image().join("etc/group").exists());
    use std::os::unix::fs::FileTypeExt;
    let whiteout = fs::symlink_metadata(upper.join("etc/group")).expect("stat");
    assert!(whiteout.file_type().is_char_device());
}

fn a_directory_can_be_the_root() {
    let pod = Fixture::new();
    let mut spec = pod.shell("echo kept > /made");
    spec.rootfs = Rootfs::Directory(pod.image());
    assert_eq!(pod.run(&spec).status.code, 0);
    assert_eq!(
        fs::read_to_string(pod.image().join("made")).expect("read"),
        "kept\n"
    );
}

fn missing_sources_are_told() {
    let pod = Fixture::new();
    let mut spec = pod.spec(&["true"]);
    spec.mounts = vec![Mount::new(MountSource::path("/no/such"), "/data")];
    let error = pod.error(&spec);
    assert_eq!(error.step, Step::Mount);
    assert_eq!(
        error.message,
        "mount /no/such at /data: no such file or directory"
    );
}

/// A path longer than `fsconfig` takes goes the way of kernels before 6.8.
fn layers_the_new_mount_api_refuses_are_mounted_too() {
    let table = || fs::read_to_string("/proc/self/mountinfo").expect("read");
    let before = table();
    let pod = Fixture::new();
    let long = pod.dir.path().join("l".repeat(200)).join("m".repeat(200));
    fs::create_dir_all(long.join("etc")).expect("mkdir");
    fs::write(long.join("etc/group"), "long\n").expect("write");
    let volume = volume(&pod);
    let mut spec = pod.shell("cat /etc/group; echo x > /y; mknod /z c 1 5 && cat /z; touch /v/w");
    spec.mounts = vec![Mount::new(MountSource::path(&volume), "/v")];
    let Rootfs::Overlay { lower, upper, .. } = &mut spec.rootfs else {
        panic!("an overlay")
    };
    lower.insert(0, long);
    let upper = upper.clone();
    let outcome = pod.run(&spec);
    assert_eq!(outcome.stdout, "long\n", "{outcome:?}");
    assert!(
        outcome.stderr.contains("Permission denied"),
        "no devices: {outcome:?}"
    );
    assert!(upper.join("y").exists() && volume.join("w").exists());
    assert_eq!(table(), before, "nothing mounted on the machine");
}
