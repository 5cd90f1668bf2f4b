//! What the Pod asks for as a whole and how that comes about (R13.1), and why its QoS class is no better one (R13.3).

use std::collections::BTreeSet;

use manifest::Quantity;
use manifest::core::v1::{PodSpec, QosClass, ResourceList, ResourceRequirements};
use serde::Serialize;

use super::{Entry, entries};
use crate::container::Role;

/// One resource of the whole Pod.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Total {
    /// As `cpu`.
    pub resource: String,
    /// The effective amount.
    pub amount: Quantity,
    /// The sums of which the greatest counts, that one first.
    pub terms: Vec<Term>,
    /// `spec.overhead`, which is added to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overhead: Option<Quantity>,
    /// Containers that say nothing about this resource; a limit is no bound on the Pod while there are any (R13.8).
    pub silent: Vec<String>,
}

/// What some containers that run at the same time ask for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Term {
    /// When they run together: while this init container runs; absent for sidecars and apps together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub during: Option<String>,
    /// Container and amount, those without one left out.
    pub parts: Vec<(String, Quantity)>,
    /// The sum.
    pub sum: Quantity,
}

/// The QoS class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Qos {
    /// As `Burstable`.
    pub class: QosClass,
    /// What keeps it from being Guaranteed, a sentence each.
    pub because: Vec<String>,
}

type Part = fn(&ResourceRequirements) -> &ResourceList;

/// The totals of all resources that any container names.
pub(super) fn totals(spec: &PodSpec, part: Part, is_request: bool) -> Vec<Total> {
    let amounts = |entry: &Entry<'_>, resource: &str| {
        let resources = entry.container.resources.as_ref()?;
        part(resources).get(resource).copied()
    };
    let named = entries(spec).filter_map(|entry| entry.container.resources.as_ref().map(part));
    let mut resources: BTreeSet<&str> = named
        .flat_map(|list| list.keys().map(String::as_str))
        .collect();
    if is_request {
        resources.extend(spec.overhead.keys().map(String::as_str));
    }
    let total = |resource: &str| {
        let mut sidecars: Vec<(String, Quantity)> = Vec::new();
        let mut terms = Vec::new();
        for entry in entries(spec).filter(|entry| entry.role != Role::App) {
            let own = amounts(&entry, resource).map(|amount| (entry.name().to_owned(), amount));
            if entry.role == Role::Sidecar {
                sidecars.extend(own);
            } else if let Some(own) = own {
                let parts = sidecars.iter().cloned().chain([own]).collect();
                terms.push(Term::new(Some(entry.name().to_owned()), parts));
            }
        }
        let apps = entries(spec).filter(|entry| entry.role == Role::App);
        let apps =
            apps.filter_map(|entry| Some((entry.name().to_owned(), amounts(&entry, resource)?)));
        // First, so that it is the one that counts among equals.
        terms.insert(
            0,
            Term::new(None, sidecars.into_iter().chain(apps).collect()),
        );
        terms.sort_by_key(|term| std::cmp::Reverse(term.sum));
        let overhead = spec.overhead.get(resource).copied();
        let silent = entries(spec).filter(|entry| amounts(entry, resource).is_none());
        let mut amount = terms[0].sum;
        amount += overhead.unwrap_or_default();
        Total {
            resource: resource.to_owned(),
            amount,
            terms,
            overhead,
            silent: silent.map(|entry| entry.name().to_owned()).collect(),
        }
    };
    resources.into_iter().map(total).collect()
}

impl Term {
    fn new(during: Option<String>, parts: Vec<(String, Quantity)>) -> Self {
        let sum = parts.iter().map(|(_, amount)| *amount).sum();
        Self { during, parts, sum }
    }
}

/// The class and what keeps it from being Guaranteed.
pub(super) fn qos(spec: &PodSpec) -> Qos {
    let class = manifest::resources::qos_class(spec);
    let because = match class {
        QosClass::Guaranteed => Vec::new(),
        QosClass::BestEffort => {
            vec!["no container has requests or limits of cpu or memory".to_owned()]
        }
        QosClass::Burstable => entries(spec).filter_map(|entry| lacks(&entry)).collect(),
    };
    Qos { class, because }
}

/// What a container lacks for Guaranteed.
pub(super) fn lacks(entry: &Entry<'_>) -> Option<String> {
    let resources = entry.container.resources.as_ref();
    let amount = |part: Part, resource| {
        let amount = resources.and_then(|resources| part(resources).get(resource).copied());
        amount.filter(|amount| !amount.is_zero())
    };
    let mut missing = Vec::new();
    let mut uneven = Vec::new();
    for resource in ["cpu", "memory"] {
        let limit = amount(|r| &r.limits, resource);
        match (limit, amount(|r| &r.requests, resource)) {
            (None, _) => missing.push(resource),
            (Some(limit), Some(request)) if request != limit => {
                uneven.push(format!(
                    "requests {resource} {request} and is limited to {limit}"
                ));
            }
            _ => {}
        }
    }
    if !missing.is_empty() {
        uneven.insert(0, format!("has no {} limit", missing.join(" and no ")));
    }
    (!uneven.is_empty()).then(|| format!("{} {}", entry.name(), uneven.join(", ")))
}
