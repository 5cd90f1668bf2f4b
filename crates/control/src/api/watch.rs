//! Watches: a line of JSON a change, until the client has had enough.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::Response;
use manifest::meta::status::Status;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::sync::watch::Receiver;
use tokio::time::Instant;

use super::answer::{self, Body, Rejected};
use super::list::{Listed, Selection, Shape};
use super::query::Query;
use crate::store::{Change, Collection};

/// A watch that does not say how long it wants to wait may be open for as long as its client.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// Begins to send changes.
pub(crate) fn start<T: Listed>(
    collection: &Arc<Collection<T>>,
    mut over: Receiver<bool>,
    selection: Selection,
    shape: Shape,
    query: &Query,
) -> Result<Response<Body>, Rejected> {
    let timeout = query.parsed::<u64>("timeoutSeconds")?;
    let timeout = timeout.map_or(LONGEST, Duration::from_secs).min(LONGEST);
    let asked = query.parsed::<u64>("resourceVersion")?.unwrap_or(0);
    let initial = asked == 0 || query.is("sendInitialEvents");
    let (sender, answer) = answer::stream("application/json");
    let mut lines = Lines {
        sender,
        shape,
        columns_told: false,
    };
    let (objects, newest) = collection.list();
    let mut changes = collection.watch(if initial { newest } else { asked });
    // K8s' WatchList: what there is, then a bookmark that says so.
    let bookmark = query.is("sendInitialEvents") && query.is("allowWatchBookmarks");
    let deadline = Instant::now() + timeout;
    tokio::spawn(async move {
        if initial {
            for object in objects.iter().filter(|object| selection.has(&***object)) {
                lines.object("ADDED", &**object).await?;
            }
            if bookmark {
                lines.initial_events_end::<T>(newest).await?;
            }
        }
        loop {
            tokio::select! {
                // Changes first: the last ones are told even at the end.
                biased;
                () = lines.sender.closed() => return None,
                next = changes.next() => match next {
                    Ok(next) => {
                        for change in &next {
                            lines.change(change, &selection).await?;
                        }
                    }
                    Err(expired) => {
                        let status = Status::failure(410, "Expired", expired.to_string());
                        lines.event("ERROR", &status).await?;
                        return None::<()>;
                    }
                },
                () = tokio::time::sleep_until(deadline) => return None,
                () = is_over(&mut over) => return None,
            }
        }
    });
    Ok(answer)
}

async fn is_over(over: &mut Receiver<bool>) {
    // One whose sender is gone is over too.
    let _ = over.wait_for(|over| *over).await;
}

struct Lines {
    sender: mpsc::Sender<Bytes>,
    shape: Shape,
    columns_told: bool,
}

impl Lines {
    /// What a change is to a client that sees only a part of all objects.
    async fn change<T: Listed>(&mut self, change: &Change<T>, selection: &Selection) -> Option<()> {
        let seen =
            |object: &Option<Arc<T>>| object.clone().filter(|object| selection.has(&**object));
        match (seen(&change.before), seen(&change.after)) {
            (None, None) => Some(()),
            (None, Some(after)) => self.object("ADDED", &*after).await,
            (Some(_), Some(after)) => self.object("MODIFIED", &*after).await,
            (Some(before), None) => {
                // Its last state, at the version at which it went.
                let mut last = (*before).clone();
                last.metadata_mut().resource_version = Some(change.version.to_string());
                self.object("DELETED", &last).await
            }
        }
    }

    async fn object<T: Listed>(&mut self, kind: &str, object: &T) -> Option<()> {
        match self.shape {
            Shape::Json => self.event(kind, object).await,
            Shape::Table(include) => {
                let mut table = T::table();
                // Told once: a client keeps them.
                if std::mem::replace(&mut self.columns_told, true) {
                    table.column_definitions.clear();
                }
                table.rows = vec![object.row(include)];
                self.event(kind, &table).await
            }
        }
    }

    async fn initial_events_end<T: Listed>(&mut self, version: u64) -> Option<()> {
        let bookmark: Value = json!({
            "apiVersion": "v1",
            "kind": T::KIND,
            "metadata": {
                "resourceVersion": version.to_string(),
                "annotations": { "k8s.io/initial-events-end": "true" },
            },
        });
        self.event("BOOKMARK", &bookmark).await
    }

    /// One line; nothing when the client is gone.
    async fn event(&mut self, kind: &str, object: &impl Serialize) -> Option<()> {
        let mut line = serde_json::to_vec(&json!({ "type": kind, "object": object })).ok()?;
        line.push(b'\n');
        self.sender.send(line.into()).await.ok()
    }
}
