//! What was left out of a copy.

/// So many are told one by one.
const TOLD: usize = 100;

/// Sentences about what was left out, in bounded memory.
#[derive(Debug, Default)]
pub(crate) struct Skipped {
    told: Vec<String>,
    untold: u64,
}

impl Skipped {
    pub(crate) fn push(&mut self, what: String) {
        if self.told.len() < TOLD {
            self.told.push(what);
        } else {
            self.untold += 1;
        }
    }

    pub(crate) fn into_told(mut self) -> Vec<String> {
        if self.untold > 0 {
            self.told.push(format!("and {} more", self.untold));
        }
        self.told
    }
}
