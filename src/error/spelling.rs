//! Suggests the right spelling of a misspelled name.

/// The minimum similarity, from 0 to 1, at which one name is suggested for another.
const MIN_SIMILARITY: f64 = 0.7;

/// Returns the most similar of `names`, or `None` if none is similar enough.
pub fn closest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let length = name.chars().count();
    // Among equally close names, prefer one of the same length: people swap letters more often than they omit them.
    let distance = |known: &'n str| {
        let edits = strsim::osa_distance(name, known);
        (edits, length.abs_diff(known.chars().count()), known)
    };
    let (edits, _, closest) = names.map(distance).min()?;
    let longer = length.max(closest.chars().count()).max(1);
    (1.0 - edits as f64 / longer as f64 >= MIN_SIMILARITY).then_some(closest)
}
