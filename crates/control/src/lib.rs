//! Object store with watch, and the Kubernetes REST API over a Unix socket.
