//! Which part of a container's log is wanted.

use crate::query::{Parameters, PodName, Resource};

/// The parameters of a log request, as `PodLogOptions` of Kubernetes has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// The container; may be left out where the Pod has but one.
    pub container: Option<String>,
    /// Go on until the container ends.
    pub follow: bool,
    /// The run before the present one.
    pub previous: bool,
    /// Only lines of the last so many seconds.
    pub since_seconds: Option<i64>,
    /// Only lines from this moment on, in RFC 3339.
    pub since_time: Option<String>,
    /// A time before each line.
    pub timestamps: bool,
    /// Only so many lines at the end.
    pub tail_lines: Option<i64>,
    /// End after so many bytes.
    pub limit_bytes: Option<i64>,
}

impl LogOptions {
    pub(crate) fn uri(&self, pod: &PodName) -> String {
        let mut parameters = Parameters::of(pod.path(Resource::Pods, "/log"));
        let number = |number: Option<i64>| number.map(|number| number.to_string());
        parameters.add_some("container", self.container.as_deref());
        parameters.add_some("follow", self.follow.then_some("true"));
        parameters.add_some("previous", self.previous.then_some("true"));
        parameters.add_some("sinceSeconds", number(self.since_seconds).as_deref());
        parameters.add_some("sinceTime", self.since_time.as_deref());
        parameters.add_some("timestamps", self.timestamps.then_some("true"));
        parameters.add_some("tailLines", number(self.tail_lines).as_deref());
        parameters.add_some("limitBytes", number(self.limit_bytes).as_deref());
        parameters.uri()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_asked_for_is_said() {
        let pod = PodName::new("default", "web");
        assert_eq!(
            LogOptions::default().uri(&pod),
            "/api/v1/namespaces/default/pods/web/log"
        );
        let options = LogOptions {
            container: Some("app".into()),
            follow: true,
            previous: true,
            since_seconds: Some(60),
            since_time: Some("2026-01-02T03:04:05Z".into()),
            timestamps: true,
            tail_lines: Some(10),
            limit_bytes: Some(100),
        };
        assert_eq!(
            options.uri(&pod),
            "/api/v1/namespaces/default/pods/web/log?container=app&follow=true&previous=true&sinceSeconds=60\
             &sinceTime=2026-01-02T03%3A04%3A05Z&timestamps=true&tailLines=10&limitBytes=100"
        );
    }
}
