//! Pre-tokenizers as code: they find the words of a text without a regular expression.
//!
//! A pre-tokenizer is recognized by the exact text of its patterns and by its settings. Its scanner finds the words that
//! the `tokenizers` crate finds with Oniguruma, in time proportional to the length of the text.

mod ascii_masks;
mod bloom;
mod coder;
mod cuts;
mod delimiters;
mod falcon;
mod fast;
mod kind_runs;
mod kinds;
mod patterns;
mod recognize;
mod rules;
mod scanner;
mod view;
mod word_ends;
mod words;

#[cfg(test)]
mod tests;

pub use patterns::is_known;
pub use recognize::PreTokenizer;
pub use scanner::Scanner;
pub use words::Words;
