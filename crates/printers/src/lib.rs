//! How Kubernetes objects are shown: tables, describe, JSONPath, timelines. Pure.
//!
//! Everything here turns values into text as kubectl and the API server do, byte for byte where they are an
//! oracle: no file is opened, no clock is read, nothing is printed. The time comes as an argument.
//!
//! What containers and other people wrote (names, labels, messages) is hostile: it goes through [`escape`]
//! before it reaches a terminal.

pub mod describe;
pub mod duration;
pub mod escape;
pub mod events;
pub mod go;
pub mod jsonpath;
pub mod output;
pub mod plan;
pub mod table;
pub mod tabwriter;
pub mod timeline;
pub mod top;
pub mod wait;
pub mod waits;
pub mod what_if;
