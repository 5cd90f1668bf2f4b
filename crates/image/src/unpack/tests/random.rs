//! Random and damaged archives.

use proptest::prelude::*;
use tar::EntryType;

use super::*;

/// Names that matter: plain ones that meet often, and hostile ones.
fn name() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        8 => prop::sample::select(vec!["a", "b", "c", "d"]),
        2 => prop::sample::select(vec![".wh.a", ".wh.b", ".wh..wh..opq", ".wh.", ".wh..wh.x"]),
        1 => prop::sample::select(vec!["..", ".", "", "outside", "canary"]),
    ];
    prop::collection::vec(part, 1..5).prop_map(|parts| parts.join("/"))
}

fn target() -> impl Strategy<Value = String> {
    prop_oneof![
        name(),
        Just("/".to_owned()),
        Just("../outside".to_owned()),
        Just("../../outside/canary".to_owned()),
        Just("/proc/self/root".to_owned()),
        name().prop_map(|name| format!("/{name}")),
    ]
}

fn entries() -> impl Strategy<Value = Vec<(u8, String, String, u32, u64)>> {
    let kind = prop::sample::select(b"001122345567".to_vec());
    prop::collection::vec((kind, name(), target(), 0..0o10000u32, 0..4u64), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_sequence_of_entries_reaches_outside(entries in entries()) {
        let sandbox = Sandbox::new();
        for (kind, path, target, mode, owner) in &entries {
            // Each entry on its own: an error of one must not keep the next from trying.
            let mut head = header(EntryType::new(*kind), path.as_bytes(), target.as_bytes(), 0);
            head.set_mode(*mode);
            head.set_uid(*owner);
            head.set_cksum();
            let _ = sandbox.unpack(&Tar::new().raw(&head, b"").finish());
        }
        sandbox.check_outside();
        let copy = sandbox.directory.path().join("copy");
        crate::materialize(&[sandbox.root(), sandbox.root()], &copy).unwrap();
        crate::fs::remove_tree(rustix::fs::CWD, &copy).unwrap();
        sandbox.check_outside();
        crate::fs::remove_tree(rustix::fs::CWD, &sandbox.root()).unwrap();
    }

    #[test]
    fn damaged_archives_neither_panic_nor_reach_outside(
        entries in entries(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut tar = Tar::new().pax(&[("mtime", b"1.5"), ("SCHILY.xattr.user.a", b"b")]);
        for (kind, path, target, mode, _) in &entries {
            let mut head = header(EntryType::new(*kind), path.as_bytes(), target.as_bytes(), 0);
            head.set_mode(*mode);
            head.set_cksum();
            tar = tar.raw(&head, b"");
        }
        let mut bytes = tar.finish();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
            repair_checksum(&mut bytes, at);
        }
        let sandbox = Sandbox::new();
        let _ = sandbox.unpack(&bytes);
        sandbox.check_outside();
    }
}

/// Lets damage get past the first check.
fn repair_checksum(bytes: &mut [u8], at: usize) {
    let start = at / 512 * 512;
    if let Some(block) = bytes[start..].first_chunk_mut::<512>() {
        let mut header = tar::Header::from_byte_slice(block).clone();
        header.set_cksum();
        block.copy_from_slice(header.as_bytes());
    }
}
