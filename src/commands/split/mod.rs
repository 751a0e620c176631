//! Cuts texts to a number of tokens, for `chunk`, `head`, and `tail`.

pub mod cutter;
pub mod head_tail;
