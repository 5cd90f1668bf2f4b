//! The only crate with unsafe code: syscalls that no library wraps. No policy.
