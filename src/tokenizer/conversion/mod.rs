//! Builds the `tokenizer.json` of a model that has none: from the files of its slow class, as transformers 4.48.3 does
//! (`convert_slow_tokenizer`), from the vocabulary of a GGUF file ([`gguf`]), or from tokens with ranks ([`ranks`]).
//!
//! The [`table`] names the files of each class and the converter that reads them. The converters differ only in data:
//! [`families`] for SentencePiece files, [`bpe_kinds`] for vocabularies with merges. What a class changes after the
//! conversion is in [`super::class`].

mod bpe_files;
mod bpe_kinds;
mod digits;
mod encodings;
mod families;
pub mod gguf;
mod plan;
mod portable_pattern;
mod rank_merges;
mod ranks;
mod recipe;
mod score_merges;
mod sentencepiece;
mod slow_class;
mod slow_ids;
mod source;
pub mod steps;
mod table;
mod template;
mod vocab_txt;
mod whisper;

pub use encodings::encoding_of;
pub use plan::Conversion;
pub use portable_pattern::is_portable;
pub use rank_merges::merges as merges_of_ranks;
pub use ranks::{RanksRecipe, model as model_of_ranks};
pub use recipe::{Recipe, SlowClassRecipe};
pub use slow_class::SlowClass;
pub use slow_ids::SlowIds;
pub use table::slow_class;
