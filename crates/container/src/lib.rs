//! One container on Linux: namespaces, mounts, cgroups v1, hybrid and v2, seccomp, exec, stdio.
