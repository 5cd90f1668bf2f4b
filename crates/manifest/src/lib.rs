//! Kubernetes objects in and out: YAML 1.1 as kubectl reads it, positions, defaults, validation. No I/O.
