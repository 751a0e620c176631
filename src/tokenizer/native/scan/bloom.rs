//! The pattern of BLOOM, ` ?[^(\s|[.,!?…。，、।۔،])]+`.

use super::kind_runs::BLOOM_BREAK;
use super::view::View;

/// Returns the first word at or after byte `at`: a match, or the characters before the next match. Returns `None` if
/// there is no word.
pub fn next(text: View<'_>, at: usize) -> Option<(usize, usize)> {
    let mut start = at;
    loop {
        let (kind, length) = text.kind(start);
        let letters = start + usize::from(text.ascii(start) == b' ');
        let end = text.run(letters, !BLOOM_BREAK);
        if kind == 0 || end > letters {
            return match (start > at, end > start) {
                (true, _) => Some((at, start)),
                (false, true) => Some((at, end)),
                (false, false) => None,
            };
        }
        start += length;
    }
}
