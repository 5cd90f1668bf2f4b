//! `Status`: how the Kubernetes API says what came of a request that yields no object.

use serde::{Deserialize, Serialize};

/// The answer to a request that failed, or that succeeded and has nothing else to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Always `v1`.
    #[serde(default)]
    pub api_version: String,
    /// Always `Status`.
    #[serde(default)]
    pub kind: String,
    /// Nothing, but where a list would have some.
    #[serde(default)]
    pub metadata: serde_json::Map<String, serde_json::Value>,
    /// `Success` or `Failure`.
    #[serde(default)]
    pub status: String,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// For programs: `NotFound`, `AlreadyExists`, `BadRequest` ...
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<StatusDetails>,
    /// The HTTP status.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub code: u16,
}

/// What a [`Status`] is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusDetails {
    /// The object's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The object's API group.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// The resource, such as `pods`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The object's unique id.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// The findings one by one; for an exec, its exit code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<StatusCause>,
}

/// One finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusCause {
    /// For programs: `FieldValueInvalid`, `ExitCode` ...
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The field's path.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(code: &u16) -> bool {
    *code == 0
}

impl Status {
    /// Success with nothing to say.
    #[must_use]
    pub fn success() -> Self {
        Self {
            api_version: "v1".into(),
            kind: "Status".into(),
            metadata: serde_json::Map::new(),
            status: "Success".into(),
            message: String::new(),
            reason: String::new(),
            details: None,
            code: 200,
        }
    }

    /// A failure with its HTTP status, its reason for programs and its message for people.
    #[must_use]
    pub fn failure(code: u16, reason: &str, message: impl Into<String>) -> Self {
        Self {
            status: "Failure".into(),
            message: message.into(),
            reason: reason.into(),
            code,
            ..Self::success()
        }
    }

    /// What it is about: the resource, such as `pods`, and the object's name.
    #[must_use]
    pub fn about(mut self, resource: &str, name: &str) -> Self {
        self.details = Some(StatusDetails {
            kind: resource.into(),
            name: name.into(),
            ..StatusDetails::default()
        });
        self
    }

    /// 404: `pods "web" not found`.
    #[must_use]
    pub fn not_found(resource: &str, name: &str) -> Self {
        Self::failure(404, "NotFound", format!("{resource} \"{name}\" not found"))
            .about(resource, name)
    }

    /// 400: the request itself is wrong.
    #[must_use]
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::failure(400, "BadRequest", message)
    }

    /// Whether it says that something failed.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        self.status != "Success"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_found_reads_as_the_api_server_says_it() {
        let status = Status::not_found("pods", "web");
        let text = serde_json::to_value(&status).expect("json");
        assert_eq!(
            text,
            serde_json::json!({
                "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure",
                "message": "pods \"web\" not found", "reason": "NotFound",
                "details": {"name": "web", "kind": "pods"}, "code": 404,
            })
        );
        assert_eq!(
            serde_json::from_value::<Status>(text).expect("status"),
            status
        );
    }
}
