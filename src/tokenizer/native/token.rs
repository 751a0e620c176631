//! A token of a word, as a model finds it.

/// A token of a word: its id and its end, in bytes from the start of the word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Token {
    pub id: u32,
    pub end: u32,
}

/// Calls `each` with the id, start, and end of each token of a word. A token that ends where the one before it does has
/// the range of that token.
#[inline]
pub fn for_each_range(tokens: &[Token], mut each: impl FnMut(u32, usize, usize)) {
    let (mut begin, mut last) = (0, 0);
    for token in tokens {
        let end = token.end as usize;
        if end > last {
            begin = last;
        }
        each(token.id, begin, end);
        last = end;
    }
}
