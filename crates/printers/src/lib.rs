//! How Kubernetes objects are shown: tables, describe, JSONPath, timelines. Pure.
