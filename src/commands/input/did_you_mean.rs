//! Finds the name that a misspelled one was probably meant to be.

/// The least similarity of two names for one to be suggested for the other, from 0 to 1.
const MIN_SIMILARITY: f64 = 0.7;

/// Returns the name among `names` that is most like `name`, or `None` if none of them is similar enough.
pub fn closest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let length = name.chars().count();
    // Among equally close names, prefer one of the same length: letters are swapped more often than left out.
    let distance = |known: &'n str| {
        let edits = strsim::osa_distance(name, known);
        (edits, length.abs_diff(known.chars().count()), known)
    };
    let (edits, _, closest) = names.map(distance).min()?;
    let longer = length.max(closest.chars().count()).max(1);
    (1.0 - edits as f64 / longer as f64 >= MIN_SIMILARITY).then_some(closest)
}
