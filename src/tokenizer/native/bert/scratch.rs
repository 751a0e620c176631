//! Memory for tokenizing words.

use super::chars::{AsciiTable, CharTable};
use super::scan::PendingWord;
use crate::tokenizer::native::aligned_text::AlignedText;
use crate::tokenizer::native::model::ModelScratch;
use crate::tokenizer::native::token::Token;

/// The number of words that are looked up before the first result is used.
pub const BATCH: usize = 16;

/// Memory that is reused from text to text.
#[derive(Debug, Default)]
pub struct BertScratch {
    pub characters: CharTable,
    /// `None` until the first text.
    pub ascii: Option<Box<AsciiTable>>,
    pub batch: [PendingWord; BATCH],
    /// A word in its normalized form.
    pub aligned: AlignedText,
    pub tokens: Vec<Token>,
    pub model: ModelScratch,
}
