//! Names of files that stand for Pods.

/// Longer a name is not written out: the address of a socket has room for 107 bytes, of which a directory's descriptor
/// (`/proc/self/fd/N/`), the hash and an ending take their part.
const LONGEST: usize = 56;

/// A file's name for a Pod, unique to its namespace and name. A Pod's name can be longer than a file's: of such a one only
/// the beginning is there, and a hash of all of it.
///
/// Neither a namespace nor a Pod's name can have an underscore or a tilde in it.
#[must_use]
pub fn of_pod(namespace: &str, name: &str) -> String {
    let whole = format!("{namespace}_{name}");
    if whole.len() <= LONGEST {
        return whole;
    }
    let hash = fnv1a(whole.as_bytes());
    let cut = whole.floor_char_boundary(LONGEST);
    format!("{}~{hash:016x}", &whole[..cut])
}

/// FNV-1a, 64 bit: a stable short name; it guards against nothing.
#[must_use]
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        assert_eq!(of_pod("default", "web"), "default_web");
        let long = "a".repeat(252);
        let (one, two) = (
            of_pod("n", &format!("{long}1")),
            of_pod("n", &format!("{long}2")),
        );
        assert_ne!(one, two);
        assert!(one.len() < 80);
        assert_eq!(one, of_pod("n", &format!("{long}1")));
        assert!(of_pod("n", &"é".repeat(200)).len() < 80);
    }
}
