//! Writes the `tokenizer.json` of a byte-pair encoding with ids that no piece has. For such a vocabulary, the
//! `tokenizers` crate writes a warning to standard output, in the middle of the file.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};
use tokenizers::models::ModelWrapper;
use tokenizers::models::bpe::BPE;
use tokenizers::{Model, Tokenizer};

use crate::formats::merge_list::MergeList;

/// A byte-pair encoding with its merges, which the crate does not show.
pub struct GappedJson<'t> {
    tokenizer: &'t Tokenizer,
    model: &'t BPE,
    merges: MergeList,
}

impl<'t> GappedJson<'t> {
    /// Returns `None` if the crate can write the tokenizer: it is no byte-pair encoding, or every id has a piece.
    ///
    /// # Errors
    /// Fails like `merges`.
    pub fn new<E>(
        tokenizer: &'t Tokenizer,
        merges: impl FnOnce() -> Result<Option<MergeList>, E>,
    ) -> Result<Option<Self>, E> {
        let ModelWrapper::BPE(model) = tokenizer.get_model() else {
            return Ok(None);
        };
        let last = model.get_vocab().into_values().max();
        let has_gaps = last.is_some_and(|last| last as usize >= model.get_vocab_size());
        if !has_gaps {
            return Ok(None);
        }
        Ok(merges()?.map(|merges| Self {
            tokenizer,
            model,
            merges,
        }))
    }
}

/// The fields are those of the crate, in its order.
impl Serialize for GappedJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tokenizer = self.tokenizer;
        let mut file = serializer.serialize_struct("Tokenizer", 9)?;
        file.serialize_field("version", "1.0")?;
        file.serialize_field("truncation", &tokenizer.get_truncation())?;
        file.serialize_field("padding", &tokenizer.get_padding())?;
        file.serialize_field("added_tokens", tokenizer.get_added_vocabulary())?;
        file.serialize_field("normalizer", &tokenizer.get_normalizer())?;
        file.serialize_field("pre_tokenizer", &tokenizer.get_pre_tokenizer())?;
        file.serialize_field("post_processor", &tokenizer.get_post_processor())?;
        file.serialize_field("decoder", &tokenizer.get_decoder())?;
        file.serialize_field("model", &ModelFields(self))?;
        file.end()
    }
}

struct ModelFields<'f>(&'f GappedJson<'f>);

impl Serialize for ModelFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let GappedJson { model, merges, .. } = self.0;
        let vocabulary = model.get_vocab();
        let pieces = vocabulary.iter().map(|(piece, id)| (*id, piece.as_str()));
        let by_id = BTreeSet::from_iter(pieces);
        let merges: Vec<_> = merges.pairs().into_iter().flatten().collect();
        let mut fields = serializer.serialize_struct("BPE", 10)?;
        fields.serialize_field("type", "BPE")?;
        fields.serialize_field("dropout", &model.dropout)?;
        fields.serialize_field("unk_token", &model.unk_token)?;
        let prefix = &model.continuing_subword_prefix;
        fields.serialize_field("continuing_subword_prefix", prefix)?;
        fields.serialize_field("end_of_word_suffix", &model.end_of_word_suffix)?;
        fields.serialize_field("fuse_unk", &model.fuse_unk)?;
        fields.serialize_field("byte_fallback", &model.byte_fallback)?;
        fields.serialize_field("ignore_merges", &model.ignore_merges)?;
        fields.serialize_field("vocab", &Vocabulary(&by_id))?;
        fields.serialize_field("merges", &merges)?;
        fields.end()
    }
}

/// Pieces in order of id.
struct Vocabulary<'v>(&'v BTreeSet<(u32, &'v str)>);

impl Serialize for Vocabulary<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(id, piece)| (piece, id)))
    }
}
