//! Whether the role does its work: named conditions, all of which have to hold.

use std::sync::Mutex;

/// What has to be so for the role to be ready. Shared by all threads.
#[derive(Debug)]
pub struct Health {
    conditions: Mutex<Vec<Condition>>,
}

/// One thing that has to be so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Its name, as `listeners`.
    pub name: &'static str,
    /// Why it is not so; None: it is.
    pub reason: Option<String>,
}

impl Health {
    /// Conditions of these names; none holds yet.
    #[must_use]
    pub fn new(names: &[&'static str]) -> Self {
        let condition = |name: &&'static str| Condition {
            name,
            reason: Some("not yet".to_owned()),
        };
        Self {
            conditions: Mutex::new(names.iter().map(condition).collect()),
        }
    }

    /// The condition holds.
    pub fn holds(&self, name: &'static str) {
        self.set(name, None);
    }

    /// The condition does not hold, for this reason.
    pub fn fails(&self, name: &'static str, reason: impl Into<String>) {
        self.set(name, Some(reason.into()));
    }

    fn set(&self, name: &'static str, reason: Option<String>) {
        let mut conditions = self.lock();
        match conditions.iter_mut().find(|known| known.name == name) {
            Some(known) => known.reason = reason,
            None => conditions.push(Condition { name, reason }),
        }
    }

    /// All conditions, in the order in which they were named.
    #[must_use]
    pub fn conditions(&self) -> Vec<Condition> {
        self.lock().clone()
    }

    /// Whether all hold.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.lock().iter().all(|known| known.reason.is_none())
    }

    /// A line a condition, as the API server's `/readyz?verbose` has them.
    #[must_use]
    pub fn report(&self) -> String {
        let mut text = String::new();
        for Condition { name, reason } in self.conditions() {
            match reason {
                None => text.push_str(&format!("[+]{name} ok\n")),
                Some(reason) => text.push_str(&format!("[-]{name} failed: {reason}\n")),
            }
        }
        text
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Condition>> {
        // A panic cannot leave a list of conditions half written.
        self.conditions
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_when_all_conditions_hold() {
        let health = Health::new(&["listeners", "certificates"]);
        assert!(!health.is_ready());
        health.holds("listeners");
        assert!(!health.is_ready());
        health.holds("certificates");
        assert!(health.is_ready());
        health.fails("draining", "SIGTERM came");
        assert!(!health.is_ready());
        assert_eq!(
            health.report(),
            "[+]listeners ok\n[+]certificates ok\n[-]draining failed: SIGTERM came\n"
        );
    }
}
