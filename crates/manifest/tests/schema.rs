//! The support table against the API of Kubernetes 1.36: no field missing, none made up.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail loudly, too"
)]

use std::collections::{BTreeMap, BTreeSet};

use pillion_manifest as manifest;

use manifest::core::v1::{ConfigMap, Event, Pod, Secret};
use manifest::schema::{Kind, ObjectSchema, Support, pod_fields};

/// All types that can be reached from a root, by lower-case name: upstream writes `HTTPGetAction`.
fn reachable() -> BTreeMap<String, &'static ObjectSchema> {
    fn visit(schema: &'static ObjectSchema, found: &mut BTreeMap<String, &'static ObjectSchema>) {
        if found.insert(schema.name.to_lowercase(), schema).is_some() {
            return;
        }
        for field in schema.fields {
            let mut kind = &field.kind;
            while let Kind::List(item) | Kind::Map(item) = kind {
                kind = item;
            }
            if let Kind::Object(below) = kind {
                visit(below, found);
            }
        }
    }
    let mut found = BTreeMap::new();
    for root in [
        Pod::SCHEMA,
        ConfigMap::SCHEMA,
        Secret::SCHEMA,
        Event::SCHEMA,
    ] {
        visit(root, &mut found);
    }
    found
}

#[test]
fn every_field_of_kubernetes_exists_and_no_other() {
    let schemas = reachable();
    let table = include_str!("upstream_fields.txt");
    let mut fields = 0;
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let (name, upstream) = line.split_once(": ").unwrap();
        let schema = schemas
            .get(&name.to_lowercase())
            .unwrap_or_else(|| panic!("type {name} is missing"));
        let upstream: BTreeSet<&str> = upstream.split(' ').collect();
        let mut here: BTreeSet<&str> = schema.fields.iter().map(|field| field.name).collect();
        if here.contains("metadata") && schema.name != "PersistentVolumeClaimTemplate" {
            here.retain(|field| !["apiVersion", "kind"].contains(field));
        }
        assert_eq!(here, upstream, "fields of {name}");
        fields += upstream.len();
    }
    assert!(fields > 550, "the table is cut short: {fields} fields");
}

#[test]
fn every_field_says_what_it_is_and_what_becomes_of_it() {
    for schema in reachable().values() {
        assert!(schema.doc.ends_with('.'), "{}", schema.name);
        for field in schema.fields {
            let name = format!("{}.{}", schema.name, field.name);
            assert!(
                field.doc.len() > 3 && field.doc.ends_with('.'),
                "{name}: {:?}",
                field.doc
            );
            match field.support {
                Support::Honoured => {}
                Support::Warn(would) => {
                    assert!(!would.is_empty() && !would.ends_with('.'), "{name}");
                }
                Support::Refused(hint) | Support::Later(hint) => {
                    assert!(!hint.is_empty() && !hint.ends_with('.'), "{name}");
                }
            }
        }
    }
    assert_eq!(pod_fields().name, "Pod");
}
