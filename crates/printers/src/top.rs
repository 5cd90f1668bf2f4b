//! `kubectl top pod`: what Pods and containers use (`metrics.k8s.io/v1beta1`).

use manifest::Quantity;
use manifest::core::v1::ResourceList;
use manifest::meta::v1::{ObjectMeta, Time};
use serde::{Deserialize, Serialize};

use crate::escape;
use crate::tabwriter::{Layout, TabWriter};

/// What the containers of one Pod use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodMetrics {
    /// Always `PodMetrics`.
    #[serde(default)]
    pub kind: String,
    /// Always `metrics.k8s.io/v1beta1`.
    #[serde(default)]
    pub api_version: String,
    /// Name, namespace and labels of the Pod.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// End of the time over which it was measured.
    pub timestamp: Option<Time>,
    /// How long that time was, as `15s`.
    pub window: String,
    /// One entry a container.
    #[serde(default)]
    pub containers: Vec<ContainerMetrics>,
}

/// What one container uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerMetrics {
    /// The container.
    pub name: String,
    /// `cpu` in cores and `memory` in bytes.
    pub usage: ResourceList,
}

/// What `top` prints, and in which order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// `--containers`: one line a container.
    pub containers: bool,
    /// `-A`: a column NAMESPACE comes first.
    pub with_namespace: bool,
    /// `--no-headers`.
    pub no_headers: bool,
    /// `--sort-by`; by name when not given.
    pub sort_by: Option<Resource>,
    /// `--sum`: a last line with the sum of all.
    pub sum: bool,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Processor time, in thousandths of a core.
    Cpu,
    /// Memory, in MiB.
    Memory,
}

const RESOURCES: [Resource; 2] = [Resource::Cpu, Resource::Memory];

impl Resource {
    const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
        }
    }

    fn of(self, usage: &ResourceList) -> Quantity {
        usage.get(self.name()).copied().unwrap_or_default()
    }

    fn text(self, amount: Quantity) -> String {
        match self {
            Self::Cpu => format!("{}m", amount.millis()),
            Self::Memory => format!("{}Mi", amount.value() / (1 << 20)),
        }
    }
}

impl PodMetrics {
    /// What all containers use together.
    fn total(&self, resource: Resource) -> Quantity {
        let containers = self.containers.iter();
        containers
            .map(|container| resource.of(&container.usage))
            .sum()
    }
}

/// The Pods as `kubectl top pod` prints them; nothing when there are none.
#[must_use]
pub fn print(mut pods: Vec<PodMetrics>, options: Options) -> String {
    if pods.is_empty() {
        return String::new();
    }
    match options.sort_by {
        Some(resource) => pods.sort_by_key(|pod| std::cmp::Reverse(pod.total(resource))),
        None => pods.sort_by(|a, b| {
            let key = |pod: &PodMetrics| {
                let namespace = options
                    .with_namespace
                    .then(|| pod.metadata.namespace.clone());
                (namespace, pod.metadata.name.clone())
            };
            key(a).cmp(&key(b))
        }),
    }
    let mut lines = Vec::new();
    let mut headings = Vec::new();
    headings.extend(options.with_namespace.then_some("NAMESPACE"));
    headings.extend(options.containers.then_some("POD"));
    headings.extend(["NAME", "CPU(cores)", "MEMORY(bytes)"]);
    if !options.no_headers {
        lines.push(
            headings
                .iter()
                .map(|heading| (*heading).to_owned())
                .collect(),
        );
    }
    for pod in &mut pods {
        lines.extend(pod_lines(pod, options));
    }
    if options.sum {
        let blank = |cells: usize| vec![String::new(); cells];
        let mut rule = blank(headings.len() - RESOURCES.len());
        rule.extend(RESOURCES.map(|_| "________".to_owned()));
        lines.push(rule);
        let mut sum = blank(headings.len() - RESOURCES.len());
        let total = |resource: Resource| pods.iter().map(|pod| pod.total(resource)).sum();
        sum.extend(RESOURCES.map(|resource| resource.text(total(resource))));
        lines.push(sum);
    }
    // Here even the last cell ends in a tab, so that lines end in blanks as kubectl's do.
    let text = lines
        .iter()
        .map(|line| line.join("\t") + "\t\n")
        .collect::<String>();
    TabWriter::new(Layout::TABLE).align(&text)
}

fn pod_lines(pod: &mut PodMetrics, options: Options) -> Vec<Vec<String>> {
    let cell =
        |text: &Option<String>| escape::cell(text.as_deref().unwrap_or_default()).into_owned();
    let name = cell(&pod.metadata.name);
    let namespace = options
        .with_namespace
        .then(|| cell(&pod.metadata.namespace));
    let prefix = namespace.into_iter().chain([name]).collect::<Vec<_>>();
    if !options.containers {
        let usage = RESOURCES.map(|resource| resource.text(pod.total(resource)));
        return vec![prefix.into_iter().chain(usage).collect()];
    }
    match options.sort_by {
        Some(by) => pod
            .containers
            .sort_by_key(|c| std::cmp::Reverse(by.of(&c.usage))),
        None => pod.containers.sort_by(|a, b| a.name.cmp(&b.name)),
    }
    let containers = pod.containers.iter().map(|container| {
        let name = escape::cell(&container.name).into_owned();
        let usage = RESOURCES.map(|resource| resource.text(resource.of(&container.usage)));
        prefix.iter().cloned().chain([name]).chain(usage).collect()
    });
    containers.collect()
}
