//! The size of a client's terminal, which arrives whenever it changes.

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// How large a terminal is, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TerminalSize {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

/// The sizes that a client's terminal takes, as it tells them. Only the newest counts: one that was not taken
/// before the next came is passed over.
#[derive(Debug)]
pub struct TerminalSizes(watch::Receiver<Option<TerminalSize>>);

impl TerminalSizes {
    /// The next size, the first one included; `None` once no more can come.
    pub async fn next(&mut self) -> Option<TerminalSize> {
        self.0.changed().await.ok()?;
        *self.0.borrow_and_update()
    }
}
