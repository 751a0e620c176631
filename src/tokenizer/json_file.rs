//! Writes a `tokenizer.json` where the `tokenizers` crate would write another tokenizer than it runs, or could not write
//! one:
//!
//! - The rules of a special token are those with which it was added last, but whether it is matched in the normalized
//!   text is decided when it is added first. The crate writes those of the last time. Of two tokens with one id, it writes
//!   one.
//! - For a byte-pair encoding with ids that no piece has, it writes a warning to standard output, in the middle of the
//!   file.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};
use tokenizers::models::ModelWrapper;
use tokenizers::models::bpe::BPE;
use tokenizers::{AddedToken, Model, Tokenizer};

use crate::formats::merge_list::MergeList;

/// The file of a tokenizer.
pub struct JsonFile<'t> {
    tokenizer: &'t Tokenizer,
    /// The added tokens as they are matched. `None` for those that the crate writes.
    added_tokens: Option<Vec<TokenWithId>>,
    gapped: Option<Gapped<'t>>,
}

#[derive(Serialize)]
struct TokenWithId {
    id: u32,
    #[serde(flatten)]
    token: AddedToken,
}

/// A byte-pair encoding with ids that no piece has, and its merges, which the crate does not show.
struct Gapped<'t> {
    model: &'t BPE,
    merges: MergeList,
}

impl<'t> JsonFile<'t> {
    /// Takes the added tokens with their ids, or `None` for those that the crate writes, and the merges of a byte-pair
    /// encoding, or `None` to leave them to the crate.
    ///
    /// # Errors
    /// Fails like `merges`.
    pub fn new<E>(
        tokenizer: &'t Tokenizer,
        added_tokens: Option<Vec<(AddedToken, u32)>>,
        merges: impl FnOnce() -> Result<Option<MergeList>, E>,
    ) -> Result<Self, E> {
        let gapped = match tokenizer.get_model() {
            ModelWrapper::BPE(model) if has_gaps(model) => {
                merges()?.map(|merges| Gapped { model, merges })
            }
            _ => None,
        };
        let added_tokens = added_tokens.map(|mut tokens| {
            tokens.sort_by_key(|(_, id)| *id);
            let tokens = tokens.into_iter();
            tokens
                .map(|(token, id)| TokenWithId { id, token })
                .collect()
        });
        Ok(Self {
            tokenizer,
            added_tokens,
            gapped,
        })
    }
}

fn has_gaps(model: &BPE) -> bool {
    let last = model.get_vocab().into_values().max();
    last.is_some_and(|last| last as usize >= model.get_vocab_size())
}

/// The fields are those of the crate, in its order.
impl Serialize for JsonFile<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tokenizer = self.tokenizer;
        let mut file = serializer.serialize_struct("Tokenizer", 9)?;
        file.serialize_field("version", "1.0")?;
        file.serialize_field("truncation", &tokenizer.get_truncation())?;
        file.serialize_field("padding", &tokenizer.get_padding())?;
        match &self.added_tokens {
            Some(tokens) => file.serialize_field("added_tokens", tokens)?,
            None => file.serialize_field("added_tokens", tokenizer.get_added_vocabulary())?,
        }
        file.serialize_field("normalizer", &tokenizer.get_normalizer())?;
        file.serialize_field("pre_tokenizer", &tokenizer.get_pre_tokenizer())?;
        file.serialize_field("post_processor", &tokenizer.get_post_processor())?;
        file.serialize_field("decoder", &tokenizer.get_decoder())?;
        match &self.gapped {
            Some(gapped) => file.serialize_field("model", gapped)?,
            None => file.serialize_field("model", tokenizer.get_model())?,
        }
        file.end()
    }
}

impl Serialize for Gapped<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { model, merges } = self;
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
