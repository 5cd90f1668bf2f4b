//! The streams of the Kubernetes API: exec, attach and port-forward over WebSocket and SPDY, both ends.
