//! The keys that leave a session: Ctrl-P, then Ctrl-Q.

const CTRL_P: u8 = 0x10;
const CTRL_Q: u8 = 0x11;

/// Looks for the keys in what is typed.
#[derive(Debug, Default)]
pub(super) struct DetachKeys {
    /// The first one came last, and is kept back.
    begun: bool,
}

impl DetachKeys {
    /// What is to be passed on of what was typed; `None` once the keys were.
    pub(super) fn pass(&mut self, typed: Vec<u8>) -> Option<Vec<u8>> {
        let mut passed = Vec::with_capacity(typed.len() + 1);
        for key in typed {
            let begun = std::mem::replace(&mut self.begun, key == CTRL_P);
            match (begun, key) {
                (true, CTRL_Q) => return None,
                (true, _) => passed.push(CTRL_P),
                (false, _) => {}
            }
            if key != CTRL_P {
                passed.push(key);
            }
        }
        Some(passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_in(parts: &[&[u8]]) -> Option<Vec<u8>> {
        let mut keys = DetachKeys::default();
        let mut passed = Vec::new();
        for part in parts {
            passed.extend(keys.pass(part.to_vec())?);
        }
        Some(passed)
    }

    #[test]
    fn both_keys_leave() {
        assert_eq!(type_in(&[b"ls\r\x10\x11"]), None);
        assert_eq!(type_in(&[b"\x10", b"\x11"]), None);
        assert_eq!(type_in(&[b"\x10\x10\x11"]), None);
    }

    #[test]
    fn one_key_is_passed_on() {
        assert_eq!(type_in(&[b"a\x11b"]), Some(b"a\x11b".to_vec()));
        assert_eq!(
            type_in(&[b"\x10", b"\x10", b"b"]),
            Some(b"\x10\x10b".to_vec())
        );
        // The first one waits for what comes next.
        assert_eq!(type_in(&[b"a\x10"]), Some(b"a".to_vec()));
    }
}
