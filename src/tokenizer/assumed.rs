//! What a vocabulary is taken for if no file of the model names its class.

use std::collections::HashSet;
use std::sync::Arc;

use super::class::{Found, by_name};
use super::conversion::{SlowClass, slow_class};
use crate::error::Result;
use crate::formats::json::parse;
use crate::formats::piece_list::PieceList;
use crate::formats::text_file;
use crate::source::{ByteSource, FileKind, ModelFiles};

/// The names of the files that are read, in search order.
pub const NAMES: [&str; 8] = [
    "spm.model",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
    "sentencepiece.model",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
];

/// The first files of [`NAMES`], which are of SentencePiece.
const SENTENCEPIECE: usize = 5;

/// Returns the names that a SentencePiece file may have.
pub fn sentencepiece_names() -> &'static [&'static str] {
    &NAMES[..SENTENCEPIECE]
}

/// Finds the SentencePiece file of a model, and its name within the model.
///
/// # Errors
/// Fails with the error of finding a file.
pub fn sentencepiece(files: &ModelFiles) -> Result<Option<(String, Arc<dyn ByteSource>)>> {
    if let (Some(kind), Some(name)) = (files.only_kind()?, files.only()) {
        let file = match kind {
            FileKind::SentencePiece => files.find(name)?,
            _ => None,
        };
        return Ok(file.map(|file| (name.to_owned(), file)));
    }
    for name in &NAMES[..SENTENCEPIECE] {
        if let Some(file) = files.find(name)? {
            return Ok(Some(((*name).to_owned(), file)));
        }
    }
    Ok(None)
}

/// Returns the sentence about a SentencePiece file that is read as DeBERTa's.
pub fn as_deberta(name: &str) -> String {
    format!(
        "{name} is read as DeBERTa's, but neither tokenizer_config.json nor config.json says that it is"
    )
}

/// Returns the sentence about a SentencePiece file that is read on its own.
pub fn as_sentencepiece(name: &str, class: &Found) -> String {
    let why = match class {
        Found::Fast { name, .. } => format!("a {name} is not made from this file"),
        Found::Slow { reason, .. }
        | Found::Unknown { reason, .. }
        | Found::Undeclared { reason } => reason.clone(),
    };
    format!(
        "{name} is read as SentencePiece itself reads it, without special tokens around a text: {why}"
    )
}

/// A class that was assumed.
pub struct Assumed {
    pub class: Found,
    pub slow: &'static SlowClass,
    /// True if the vocabulary has upper-case letters, so that texts must keep theirs.
    pub keeps_case: bool,
    /// The sentence about it.
    pub sentence: String,
}

/// Finds a class for the `vocab.txt`, or the `vocab.json` and `merges.txt`, of a model. Returns `None` if it has
/// neither, or the pieces fit no class.
///
/// # Errors
/// Fails with the error of finding or reading a file.
pub fn class(files: &ModelFiles) -> Result<Option<Assumed>> {
    if let Some(file) = files.find("vocab.json")?
        && files.has("merges.txt")?
    {
        let pieces: PieceList = parse(file.name(), &file.read_all()?)?;
        let class = class_with_merges(pieces.texts.iter());
        return Ok(class.and_then(|class| assumed(files, class, "vocab.json", false)));
    }
    let Some(file) = files.find("vocab.txt")? else {
        return Ok(None);
    };
    let bytes = file.read_all()?;
    let text = text_file::read(file.name(), &bytes)?;
    if !["[UNK]", "[CLS]", "[SEP]"]
        .iter()
        .all(|token| text.lines().any(|piece| piece == *token))
    {
        return Ok(None);
    }
    let mut words = text.lines().filter(|piece| !piece.starts_with('['));
    let keeps_case = words.any(|piece| piece.bytes().any(|byte| byte.is_ascii_uppercase()));
    Ok(assumed(files, "BertTokenizer", "vocab.txt", keeps_case))
}

/// The pieces that tell the class of a vocabulary with merges.
const CLIP: [&str; 2] = ["<|startoftext|>", "<|endoftext|>"];
const GPT: [&str; 1] = ["<unk>"];
const ROBERTA: [&str; 4] = ["<s>", "</s>", "<pad>", "<unk>"];
const BYTE_LEVEL: [&str; 4] = ["\u{120}", "!", "~", "\u{143}"];

/// Returns the class whose special tokens and pieces a vocabulary has.
fn class_with_merges<'p>(pieces: impl Iterator<Item = &'p str>) -> Option<&'static str> {
    let mut telling = HashSet::new();
    let mut has_ends = false;
    for piece in pieces {
        has_ends |= piece.ends_with("</w>");
        let lists = [&CLIP[..], &GPT, &ROBERTA, &BYTE_LEVEL];
        if lists.iter().any(|list| list.contains(&piece)) {
            telling.insert(piece);
        }
    }
    let all = |pieces: &[&str]| pieces.iter().all(|piece| telling.contains(piece));
    let is_byte_level = all(&BYTE_LEVEL);
    if has_ends && all(&CLIP) {
        Some("CLIPTokenizer")
    } else if has_ends && all(&GPT) {
        Some("OpenAIGPTTokenizer")
    } else if is_byte_level && all(&ROBERTA) {
        Some("RobertaTokenizer")
    } else {
        is_byte_level.then_some("GPT2Tokenizer")
    }
}

fn assumed(
    files: &ModelFiles,
    class: &'static str,
    file: &'static str,
    keeps_case: bool,
) -> Option<Assumed> {
    let found = by_name(class, file);
    let slow = found.fast_name().and_then(slow_class)?;
    let how = if keeps_case { " with case" } else { "" };
    let file = files.actual_name(file);
    Some(Assumed {
        class: found,
        slow,
        keeps_case,
        sentence: format!(
            "{file} is read as {class}'s{how}, but no file of the model names its class"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_of_a_vocabulary_with_merges_tell_its_class() {
        let byte_level = ["\u{120}", "!", "~", "\u{143}"];
        for (more, class) in [
            (&[][..], Some("GPT2Tokenizer")),
            (&["<s>", "</s>", "<pad>", "<unk>"], Some("RobertaTokenizer")),
            (
                &["<|startoftext|>", "<|endoftext|>", "a</w>"],
                Some("CLIPTokenizer"),
            ),
        ] {
            let pieces = byte_level.iter().chain(more).copied();
            assert_eq!(class_with_merges(pieces), class);
        }
        let class = class_with_merges(["a</w>", "<unk>"].into_iter());
        assert_eq!(class, Some("OpenAIGPTTokenizer"));
        assert_eq!(class_with_merges(["a"].into_iter()), None);
    }
}
