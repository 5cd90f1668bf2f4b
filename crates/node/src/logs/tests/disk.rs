//! A disk that is full.

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use super::*;

/// A file system of 256 KiB, mounted where logs go. It needs root.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(at: std::path::PathBuf) -> Self {
        std::fs::create_dir_all(&at).expect("create");
        mount("tmpfs", &at, "tmpfs", MountFlags::empty(), c"size=256k").expect("mount a tmpfs");
        Self(at)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        unmount(&self.0, UnmountFlags::DETACH).expect("unmount");
    }
}

#[test]
fn what_does_not_fit_is_left_out_and_the_gap_marked() {
    assert!(
        rustix::process::geteuid().is_root(),
        "this test mounts a file system: run it as root"
    );
    let place = Place::new();
    let _disk = SmallDisk::mount(place.paths.logs("app"));
    let ballast = place.paths.logs("app").join("ballast");
    std::fs::write(&ballast, vec![0; 128 << 10]).expect("write");

    let log = place.begin(LogRotation::default());
    let mut written = 0;
    let mut notes = Vec::new();
    while written < 512 << 10 {
        let line = format!("{written:0>999}\n");
        notes.extend(append(&log, Stream::Stdout, line.as_bytes()));
        written += line.len();
    }
    let [note] = notes.as_slice() else {
        panic!("one note: {notes:?}");
    };
    assert!(note.starts_with("write ") && note.contains("0.log: No space left on device"));
    assert!(note.contains("hint: free some space") && note.contains("the container goes on"));

    std::fs::remove_file(&ballast).expect("remove");
    assert_eq!(append(&log, Stream::Stdout, b"room again\n"), None);
    let text = read_now(Source::Own(log), &Wanted::default());
    let text = String::from_utf8(text).expect("utf-8");
    let (before, after) = text.split_once('[').expect("a mark");
    let lost = written - before.len();
    assert!(
        before.len() % 1000 == 0 && before.len() > 100_000,
        "{}",
        before.len()
    );
    assert_eq!(
        after,
        format!(
            "pillion: {lost} bytes of output are missing here: No space left on device (os error 28)]\n\
             room again\n"
        )
    );
}

#[test]
fn a_gap_at_the_end_is_marked_when_there_is_room_by_then() {
    assert!(
        rustix::process::geteuid().is_root(),
        "this test mounts a file system: run it as root"
    );
    let place = Place::new();
    let _disk = SmallDisk::mount(place.paths.logs("app"));
    let ballast = place.paths.logs("app").join("ballast");
    std::fs::write(&ballast, vec![0; 256 << 10]).expect("write");
    let log = place.begin(LogRotation::default());
    assert!(append(&log, Stream::Stdout, b"lost\n").is_some());
    assert!(append(&log, Stream::Stdout, b"lost too\n").is_none());
    std::fs::remove_file(&ballast).expect("remove");
    log.end(Timestamp::UNIX_EPOCH);
    let text = read_now(Source::Own(log), &Wanted::default());
    assert_eq!(
        String::from_utf8_lossy(&text),
        "[pillion: 14 bytes of output are missing here: No space left on device (os error 28)]\n"
    );
}
