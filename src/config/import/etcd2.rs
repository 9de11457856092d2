//! The answer of etcd's API of version 2 about a directory: `/v2/keys/environment/app?recursive=true`.
//!
//! An object whose `node` has the directory's `key`, `dir` and `nodes`, each of
//! which has its whole `key` and a `value`, or `dir` and `nodes` of its own. A variable's name is what
//! its key has behind the directory's. A directory within it is a mistake; that a key expires is lost.

use crate::config::import::draft::Draft;
use crate::config::import::tree::{self, Kind, Node};

/// Reads a text.
pub(super) fn read(text: &[u8], draft: &mut Draft) {
    let Some(root) = tree::read(text, draft) else {
        return;
    };
    if root.member("errorCode").is_some() {
        draft.error(root.at, "this is an error of etcd's".to_owned());
        return;
    }
    let Some(directory) = root.member("node") else {
        let reason = "this is not etcd's answer: it has no `node`";
        draft.error(root.at, reason.to_owned());
        return;
    };
    if !directory.says("dir") {
        draft.error(directory.at, "this is not a directory's answer".to_owned());
        return;
    }
    // The topmost directory has no key, or `/`.
    let folder = format!(
        "{}/",
        text_of(directory, "key")
            .unwrap_or_default()
            .trim_end_matches('/')
    );
    match directory.member("nodes").map(|nodes| &nodes.kind) {
        None => {}
        Some(Kind::List(nodes)) => {
            for node in nodes {
                variable(node, &folder, draft);
            }
        }
        Some(_) => draft.error(directory.at, "`nodes` is not an array".to_owned()),
    }
}

/// Returns an object's member that is a string.
fn text_of<'a>(node: &'a Node<'_>, name: &str) -> Option<&'a str> {
    match &node.member(name)?.kind {
        Kind::Text(text) => Some(text),
        _ => None,
    }
}

/// Reads one of a directory's nodes.
fn variable(node: &Node<'_>, folder: &str, draft: &mut Draft) {
    let Some(key) = text_of(node, "key") else {
        draft.error(node.at, "this node has no `key`".to_owned());
        return;
    };
    let Some(name) = key.strip_prefix(folder) else {
        draft.error(
            node.at,
            "this node's key is not below its directory's".to_owned(),
        );
        return;
    };
    let at = node.member("key").map_or(node.at, |key| key.at);
    if node.says("dir") {
        draft.error(at, "this is a directory within the directory".to_owned());
        return;
    }
    let Some(name) = draft.name(at + 1 + folder.len(), name.as_bytes()) else {
        return;
    };
    let Some(value) = text_of(node, "value") else {
        draft.error(node.at, format!("`{name}` has no `value` that is a string"));
        return;
    };
    if node.member("ttl").is_some() {
        draft.warning(at, format!("`{name}` expires in etcd, which is not kept"));
    }
    draft.set(at, name, value.as_bytes().to_vec());
}
