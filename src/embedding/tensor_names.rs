//! The names that identify the word-embedding matrix of a checkpoint.

/// The names of the matrix in each family of models, in search order. Any prefix may precede them, as in
/// `deberta.embeddings.word_embeddings.weight`.
///
/// DeBERTa's checkpoints also hold `word_embeddings._weight`, a training delta of the same shape, which must not match.
pub const EMBEDDING_NAMES: &[&str] = &[
    "word_embeddings.weight",
    "embed_tokens.weight",
    "wte.weight",
    "shared.weight",
    "tok_embeddings.weight",
    "word_embedding.weight",
    "embed_in.weight",
    // GGUF.
    "token_embd.weight",
];

/// The ends of names instead of `.weight`: copies of a layer that PEFT trains in full.
const TRAINED_COPIES: [&str; 2] = [".modules_to_save.weight", ".modules_to_save.default.weight"];

/// The names of matrices that nothing may precede but the prefix of a wrapper: `StaticEmbedding` of
/// sentence-transformers, and model2vec.
pub const WHOLE_NAMES: &[&str] = &["embedding.weight", "embeddings"];
const WRAPPERS: [&str; 1] = ["module."];

/// Returns true if model2vec or sentence-transformers give a static matrix this name.
pub fn is_of_model2vec(name: &str) -> bool {
    let bare = WRAPPERS.iter().find_map(|prefix| name.strip_prefix(prefix));
    WHOLE_NAMES.contains(&bare.unwrap_or(name))
}

/// Returns the index of the word-embedding matrix among `(name, is_matrix)` tensors, or `None` if no matrix has one of
/// the names.
///
/// If several match the same family, the shortest name wins: a model's own matrix is nearer to the root than that of a
/// submodule.
pub fn find<'a>(tensors: impl Iterator<Item = (&'a str, bool)> + Clone) -> Option<usize> {
    let shortest = |is_name: &dyn Fn(&str) -> bool| {
        let tensors = tensors.clone().enumerate();
        tensors
            .filter(|(_, (name, is_matrix))| *is_matrix && is_name(name))
            .min_by_key(|(_, (name, _))| name.len())
            .map(|(index, _)| index)
    };
    let of_family = |suffix: &&str| shortest(&|name| matches(name, suffix));
    let found = EMBEDDING_NAMES.iter().find_map(of_family);
    found.or_else(|| shortest(&is_of_model2vec))
}

fn matches(name: &str, suffix: &str) -> bool {
    let is_end = |name: &str, end: &str| {
        let prefix = name.strip_suffix(end);
        prefix.is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('.'))
    };
    let copies = TRAINED_COPIES.iter();
    let copied = copies.copied().find_map(|copy| name.strip_suffix(copy));
    let layer = suffix.strip_suffix(".weight");
    is_end(name, suffix)
        || copied
            .zip(layer)
            .is_some_and(|(name, layer)| is_end(name, layer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(names: &[&'static str]) -> Option<&'static str> {
        find(names.iter().map(|name| (*name, true))).map(|index| names[index])
    }

    #[test]
    fn the_training_delta_is_never_the_matrix() {
        assert_eq!(
            choose(&[
                "deberta.embeddings.word_embeddings._weight",
                "deberta.embeddings.word_embeddings.weight",
            ]),
            Some("deberta.embeddings.word_embeddings.weight")
        );
        assert_eq!(
            choose(&["deberta.embeddings.word_embeddings._weight"]),
            None
        );
    }

    #[test]
    fn every_family_is_found_with_and_without_prefix() {
        for suffix in EMBEDDING_NAMES {
            assert_eq!(find([(*suffix, true)].into_iter()), Some(0));
            let name = format!("model.{suffix}");
            assert_eq!(find([(name.as_str(), true)].into_iter()), Some(0));
            let name = format!("not_{suffix}");
            assert_eq!(find([(name.as_str(), true)].into_iter()), None);
        }
    }

    #[test]
    fn the_name_nearest_to_the_root_wins_and_only_matrices_count() {
        assert_eq!(
            choose(&[
                "vision.tower.embed_tokens.weight",
                "model.embed_tokens.weight"
            ]),
            Some("model.embed_tokens.weight")
        );
        let tensors = [("a.wte.weight", false), ("a.b.wte.weight", true)];
        assert_eq!(find(tensors.into_iter()), Some(1));
    }
}
