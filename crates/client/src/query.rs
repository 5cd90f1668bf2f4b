//! What is asked for: resources, names, selectors, and the paths of the API that stand for them.

use std::fmt;

/// A kind of object that running programs serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Pods.
    Pods,
    /// Events, those of the Pods that run.
    Events,
    /// What each Pod uses: `PodMetrics` of `metrics.k8s.io`.
    PodMetrics,
}

impl Resource {
    /// The path of the collection: of one namespace, or of all.
    fn path(self, namespace: Option<&str>) -> String {
        let (group, plural) = match self {
            Self::Pods => ("/api/v1", "pods"),
            Self::Events => ("/api/v1", "events"),
            Self::PodMetrics => ("/apis/metrics.k8s.io/v1beta1", "pods"),
        };
        match namespace {
            None => format!("{group}/{plural}"),
            Some(namespace) => {
                format!("{group}/namespaces/{}/{plural}", encoded(namespace))
            }
        }
    }
}

/// One Pod of one root.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl PodName {
    /// The Pod `name` in `namespace`.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// Path and parameters of a stream of the Pod: `exec`, `attach` or `portforward`.
    #[must_use]
    pub fn stream_uri(&self, kind: &str, parameters: &[(&str, &str)]) -> String {
        let mut uri = Parameters::of(self.path(Resource::Pods, &format!("/{kind}")));
        for (name, value) in parameters {
            uri.add(name, value);
        }
        uri.uri()
    }

    /// The path of the Pod, or below it.
    pub(crate) fn path(&self, resource: Resource, below: &str) -> String {
        format!(
            "{}/{}{below}",
            resource.path(Some(&self.namespace)),
            encoded(&self.name)
        )
    }

    /// The path below the Pod in our own extension of the API.
    pub(crate) fn extension(&self, below: &str) -> String {
        format!(
            "/apis/pillion.dev/v1/namespaces/{}/pods/{}{below}",
            encoded(&self.namespace),
            encoded(&self.name)
        )
    }
}

impl fmt::Display for PodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Which objects are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub(crate) resource: Resource,
    pub(crate) namespace: Option<String>,
    pub(crate) label_selector: Option<String>,
    pub(crate) field_selector: Option<String>,
    /// The one Pod that is wanted: only its owner is asked.
    pub(crate) pod: Option<PodName>,
}

/// What the server is to answer with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Objects,
    /// Rows of a Table, with the metadata of their objects or with all of them.
    Table {
        objects: bool,
    },
}

impl Query {
    /// All objects of a kind in all namespaces.
    #[must_use]
    pub fn new(resource: Resource) -> Self {
        Self {
            resource,
            namespace: None,
            label_selector: None,
            field_selector: None,
            pod: None,
        }
    }

    /// One Pod. Only the process that owns it is asked.
    #[must_use]
    pub fn pod(pod: &PodName) -> Self {
        Self::new(Resource::Pods)
            .namespace(&pod.namespace)
            .fields(format!("metadata.name={}", pod.name))
            .owned_by(pod)
    }

    /// What stands in one namespace.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// What a label selector selects (`app=web,tier!=test`); the server judges it.
    #[must_use]
    pub fn labels(mut self, selector: impl Into<String>) -> Self {
        self.label_selector = Some(selector.into());
        self
    }

    /// What a field selector selects (`status.phase=Running`), besides what was asked for before; the server judges it.
    #[must_use]
    pub fn fields(mut self, selector: impl Into<String>) -> Self {
        let selector = selector.into();
        self.field_selector = Some(match self.field_selector {
            Some(before) => format!("{before},{selector}"),
            None => selector,
        });
        self
    }

    /// Asks only the process that owns this Pod, for whatever it is that is asked for.
    #[must_use]
    pub fn owned_by(mut self, pod: &PodName) -> Self {
        self.pod = Some(pod.clone());
        self
    }

    /// Path and parameters of a list.
    pub(crate) fn list_uri(&self, form: Form) -> String {
        self.parameters(form).uri()
    }

    /// Path and parameters of a watch that goes on where a list ended.
    pub(crate) fn watch_uri(&self, form: Form, resource_version: &str) -> String {
        let mut parameters = self.parameters(form);
        parameters.add("watch", "true");
        parameters.add("resourceVersion", resource_version);
        parameters.uri()
    }

    fn parameters(&self, form: Form) -> Parameters {
        let mut parameters = Parameters::of(self.resource.path(self.namespace.as_deref()));
        parameters.add_some("labelSelector", self.label_selector.as_deref());
        parameters.add_some("fieldSelector", self.field_selector.as_deref());
        form.add_to(&mut parameters);
        parameters
    }
}

impl Form {
    /// What the request accepts.
    pub(crate) fn accept(self) -> &'static str {
        match self {
            Self::Objects => "application/json",
            Self::Table { .. } => "application/json;as=Table;v=v1;g=meta.k8s.io",
        }
    }

    pub(crate) fn add_to(self, parameters: &mut Parameters) {
        if self == (Self::Table { objects: true }) {
            parameters.add("includeObject", "Object");
        }
    }
}

/// A path with parameters.
pub(crate) struct Parameters {
    uri: String,
    separator: char,
}

impl Parameters {
    pub(crate) fn of(path: String) -> Self {
        Self {
            uri: path,
            separator: '?',
        }
    }

    pub(crate) fn add(&mut self, name: &str, value: &str) {
        self.uri.push(self.separator);
        self.uri.push_str(name);
        self.uri.push('=');
        self.uri.push_str(&encoded(value));
        self.separator = '&';
    }

    pub(crate) fn add_some(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    pub(crate) fn uri(self) -> String {
        self.uri
    }
}

/// Percent-encoding of everything but RFC 3986's unreserved characters.
fn encoded(text: &str) -> String {
    use std::fmt::Write;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_kubernetes() {
        let pod = PodName::new("default", "web");
        assert_eq!(
            pod.path(Resource::Pods, "/log"),
            "/api/v1/namespaces/default/pods/web/log"
        );
        assert_eq!(
            pod.extension("/timeline"),
            "/apis/pillion.dev/v1/namespaces/default/pods/web/timeline"
        );
        assert_eq!(
            Query::new(Resource::Pods).list_uri(Form::Objects),
            "/api/v1/pods"
        );
        assert_eq!(
            Query::new(Resource::PodMetrics)
                .namespace("a")
                .list_uri(Form::Objects),
            "/apis/metrics.k8s.io/v1beta1/namespaces/a/pods"
        );
        assert_eq!(
            Query::new(Resource::Events)
                .namespace("a")
                .labels("x in (1,2)")
                .fields("type!=Normal")
                .watch_uri(Form::Table { objects: true }, "7"),
            "/api/v1/namespaces/a/events?labelSelector=x%20in%20%281%2C2%29&fieldSelector=type%21%3DNormal\
             &includeObject=Object&watch=true&resourceVersion=7"
        );
    }

    #[test]
    fn a_stream_has_its_words_as_they_were_written() {
        let command = [("command", "sh -c"), ("command", "a&b=c")];
        assert_eq!(
            PodName::new("default", "web").stream_uri("exec", &command),
            "/api/v1/namespaces/default/pods/web/exec?command=sh%20-c&command=a%26b%3Dc"
        );
    }

    #[test]
    fn names_cannot_leave_their_place() {
        let pod = PodName::new("default", "../x?y=1#z");
        assert_eq!(
            pod.path(Resource::Pods, ""),
            "/api/v1/namespaces/default/pods/..%2Fx%3Fy%3D1%23z"
        );
    }

    #[test]
    fn selectors_add_up() {
        let query = Query::pod(&PodName::new("a", "b")).fields("status.phase=Running");
        assert_eq!(
            query.field_selector.as_deref(),
            Some("metadata.name=b,status.phase=Running")
        );
    }
}
