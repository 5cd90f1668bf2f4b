//! Where a Pod may be placed. One machine has no choice, so this is read, checked for its form, and named in a warning.

use crate::meta::v1::LabelSelector;
use crate::schema::object;

object! {
    /// Rules by which a node is picked.
    pub struct Affinity {
        /// By labels of the node.
        node_affinity: Option<NodeAffinity> = "nodeAffinity";
        /// Near certain Pods.
        pod_affinity: Option<PodAffinity> = "podAffinity";
        /// Away from certain Pods.
        pod_anti_affinity: Option<PodAntiAffinity> = "podAntiAffinity";
    }
}

object! {
    /// Rules over the labels of nodes.
    pub struct NodeAffinity {
        /// Must hold.
        required_during_scheduling_ignored_during_execution: Option<NodeSelector> = "requiredDuringSchedulingIgnoredDuringExecution";
        /// Should hold, by weight.
        preferred_during_scheduling_ignored_during_execution: Vec<PreferredSchedulingTerm> = "preferredDuringSchedulingIgnoredDuringExecution";
    }
}

object! {
    /// A choice of nodes; one term must hold.
    pub struct NodeSelector {
        /// The terms.
        node_selector_terms: Vec<NodeSelectorTerm> = "nodeSelectorTerms".required();
    }
}

object! {
    /// Requirements that must all hold.
    pub struct NodeSelectorTerm {
        /// On labels.
        match_expressions: Vec<NodeSelectorRequirement> = "matchExpressions";
        /// On fields.
        match_fields: Vec<NodeSelectorRequirement> = "matchFields";
    }
}

object! {
    /// One requirement.
    pub struct NodeSelectorRequirement {
        /// Label or field.
        key: String = "key";
        /// In, NotIn, Exists, DoesNotExist, Gt or Lt.
        operator: String = "operator";
        /// What to compare with.
        values: Vec<String> = "values";
    }
}

object! {
    /// A wish with a weight.
    pub struct PreferredSchedulingTerm {
        /// 1 to 100.
        weight: i32 = "weight";
        /// The wish.
        preference: NodeSelectorTerm = "preference";
    }
}

object! {
    /// Nearness to other Pods.
    pub struct PodAffinity {
        /// Must hold.
        required_during_scheduling_ignored_during_execution: Vec<PodAffinityTerm> = "requiredDuringSchedulingIgnoredDuringExecution";
        /// Should hold, by weight.
        preferred_during_scheduling_ignored_during_execution: Vec<WeightedPodAffinityTerm> = "preferredDuringSchedulingIgnoredDuringExecution";
    }
}

object! {
    /// Distance from other Pods.
    pub struct PodAntiAffinity {
        /// Must hold.
        required_during_scheduling_ignored_during_execution: Vec<PodAffinityTerm> = "requiredDuringSchedulingIgnoredDuringExecution";
        /// Should hold, by weight.
        preferred_during_scheduling_ignored_during_execution: Vec<WeightedPodAffinityTerm> = "preferredDuringSchedulingIgnoredDuringExecution";
    }
}

object! {
    /// A set of Pods and what counts as near.
    pub struct PodAffinityTerm {
        /// The Pods.
        label_selector: Option<LabelSelector> = "labelSelector";
        /// Their namespaces.
        namespaces: Vec<String> = "namespaces";
        /// Node label that says what is near.
        topology_key: String = "topologyKey";
        /// Their namespaces, by label.
        namespace_selector: Option<LabelSelector> = "namespaceSelector";
        /// Labels of this Pod whose values are added to the selector.
        match_label_keys: Vec<String> = "matchLabelKeys";
        /// Labels of this Pod whose values are excluded.
        mismatch_label_keys: Vec<String> = "mismatchLabelKeys";
    }
}

object! {
    /// A wish with a weight.
    pub struct WeightedPodAffinityTerm {
        /// 1 to 100.
        weight: i32 = "weight";
        /// The wish.
        pod_affinity_term: PodAffinityTerm = "podAffinityTerm";
    }
}

object! {
    /// A node taint that the Pod accepts.
    pub struct Toleration {
        /// Taint key; empty for all.
        key: Option<String> = "key".zero_is_unset();
        /// Exists, Equal, Lt or Gt.
        operator: Option<String> = "operator".zero_is_unset();
        /// Taint value.
        value: Option<String> = "value".zero_is_unset();
        /// NoSchedule, PreferNoSchedule or NoExecute; empty for all.
        effect: Option<String> = "effect".zero_is_unset();
        /// How long NoExecute is borne.
        toleration_seconds: Option<i64> = "tolerationSeconds";
    }
}

object! {
    /// How Pods are to be spread.
    pub struct TopologySpreadConstraint {
        /// Greatest difference in numbers.
        max_skew: i32 = "maxSkew";
        /// Node label over whose values to spread.
        topology_key: String = "topologyKey";
        /// DoNotSchedule or ScheduleAnyway.
        when_unsatisfiable: String = "whenUnsatisfiable";
        /// The Pods that are counted.
        label_selector: Option<LabelSelector> = "labelSelector";
        /// Least number of domains.
        min_domains: Option<i32> = "minDomains";
        /// Whether node affinity counts: Honor or Ignore.
        node_affinity_policy: Option<String> = "nodeAffinityPolicy";
        /// Whether node taints count: Honor or Ignore.
        node_taints_policy: Option<String> = "nodeTaintsPolicy";
        /// Labels of this Pod whose values are added to the selector.
        match_label_keys: Vec<String> = "matchLabelKeys";
    }
}
