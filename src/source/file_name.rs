//! The names of a model's files, which may come from its other files.

use std::path::Path;

use super::gguf_shard::GgufShard;

/// Returns true if a name, joined to a folder, stays within that folder on every operating system.
pub(crate) fn is_within(name: &str) -> bool {
    let plain = |part: &str| {
        !matches!(part, "" | "." | "..")
            && !part
                .chars()
                .any(|c| c.is_control() || matches!(c, '\\' | ':'))
    };
    name.split('/').all(plain) && Path::new(name).is_relative()
}

/// Returns true if the file `name` belongs to a model that is the file `only` by itself: it is the same file, or another
/// shard of it.
pub(crate) fn belongs_to(only: &str, name: &str) -> bool {
    let shards = GgufShard::parse(only).zip(GgufShard::parse(name));
    name == only || shards.is_some_and(|(only, other)| only.is_sibling(other))
}
