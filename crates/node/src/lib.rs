//! Carries out what the Pod state machine decides: sandbox, volumes, probes, hooks, logs, status.
