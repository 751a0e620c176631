//! Converts a `vocab.json` and a `merges.txt` (`GPT2Converter` and its relatives).

use std::collections::HashSet;

use serde_json::{Value, json};

use super::bpe_kinds::{BpeKind, Ends, Merges, Words};
use super::slow_ids::{SlowIds, ids_of};
use super::source::Source;
use super::steps;
use super::template;
use super::whisper;
use crate::error::{Error, Result};
use crate::formats::class_settings::ClassSettings;
use crate::formats::config::{AddedTokenConfig, AddedTokenFields};
use crate::formats::json::parse;
use crate::formats::merge_list::MergeList;
use crate::formats::model_settings::ModelSettings;
use crate::formats::piece_list::{Numbers, PieceList};
use crate::formats::text_file;
use crate::formats::tokenizer_json::{ModelJson, RestJson, TokenizerJson};
use crate::tokenizer::special_tokens::SpecialTokens;

/// A file with its name.
pub type NamedFile<'a> = (&'a str, &'a [u8]);

/// Converts the contents of the two files.
///
/// # Errors
/// Fails with [`Error::Damaged`] if a file has another form, or with [`Error::Unsupported`] for settings or special
/// tokens that the reference refuses.
pub fn convert(
    vocabulary: NamedFile<'_>,
    merges: NamedFile<'_>,
    kind: &BpeKind,
    settings: &ClassSettings,
    tokens: &SpecialTokens,
) -> Result<TokenizerJson> {
    let (name, bytes) = vocabulary;
    let vocab: PieceList = parse(name, bytes)?;
    if matches!(vocab.numbers, Numbers::Scores(_)) {
        return Err(Error::damaged(
            name,
            "it is a list, not an object of pieces with their ids",
        ));
    }
    let text = text_file::read(merges.0, merges.1)?;
    let merges = read_merges(merges.0, &text, kind)?;
    let ids = ids_of(&vocab);
    let find = |text: &str| ids.get(text).copied();
    let slow = SlowIds::new(tokens, ids.len(), &find, None);
    let source = Source {
        name,
        settings,
        tokens,
        ids: &slow,
    };
    let unknown = match kind.has_unknown {
        true => Some(source.token("{unk}")?.to_owned()),
        false => None,
    };
    let added = unknown
        .iter()
        .filter(|unknown| matches!(kind.words, Words::Bert) && ids.contains_key(unknown.as_str()));
    let added = added.map(|unknown| AddedTokenConfig::from(AddedTokenFields::new(unknown, true)));
    let prefix_space = match kind.prefix_space {
        Some(default) => source.flag("add_prefix_space", &settings.add_prefix_space, default)?,
        None => false,
    };
    let piece = |id: u32| {
        let found = ids.iter().find(|(_, other)| **other == id);
        found.map(|(piece, _)| *piece)
    };
    let rest = RestJson {
        added_tokens: added.collect(),
        post_processor: post_processor(kind, &source, prefix_space, &piece)?,
        ..steps_of(kind, prefix_space)
    };
    let continuing = (!matches!(kind.words, Words::Bert)).then(String::new);
    let model = ModelJson {
        kind: Some("BPE".to_owned()),
        settings: ModelSettings {
            unk_token: unknown,
            continuing_subword_prefix: continuing,
            end_of_word_suffix: Some(kind.suffix.to_owned()),
            fuse_unk: Some(false),
            ..ModelSettings::default()
        },
        merges: Some(merges),
        vocab,
        ..ModelJson::default()
    };
    Ok(TokenizerJson { model, rest })
}

/// The most lines of a `merges.txt` of CLIP that are merges.
const CLIP_MERGES: usize = 49_152 - 256 - 2;

/// Returns the distinct merges of a file in order.
fn read_merges(name: &str, text: &str, kind: &BpeKind) -> Result<MergeList> {
    let numbered = (1..).zip(text.split('\n'));
    let lines: Vec<(usize, &str)> = match kind.merges {
        Merges::Inner => {
            let mut lines: Vec<_> = numbered.skip(1).collect();
            lines.pop();
            lines
        }
        Merges::Clip => {
            let trimmed = text_file::trimmed(text);
            let before = text.len() - text_file::trimmed_start(text).len();
            let first = 1 + text[..before].matches('\n').count();
            let lines = (first..).zip(trimmed.split('\n'));
            lines.skip(1).take(CLIP_MERGES).collect()
        }
        Merges::NotBlank => {
            let is_version = |at: usize, line: &str| at == 1 && line.starts_with("#version:");
            let lines = numbered.map(|(at, line)| (at, text_file::trimmed(line)));
            let lines = lines.filter(|(at, line)| !line.is_empty() && !is_version(*at, line));
            lines.collect()
        }
    };
    let mut seen = HashSet::with_capacity(lines.len());
    let mut merges = Vec::with_capacity(lines.len());
    for (number, line) in lines {
        let mut words = text_file::words(line);
        let (Some(left), Some(right), None) = (words.next(), words.next(), words.next()) else {
            let problem = format!("line {number} is {line:?}, which is not two pieces");
            return Err(Error::damaged(name, problem));
        };
        if seen.insert((left, right)) {
            merges.push((left, right));
        }
    }
    Ok(merges.into_iter().collect())
}

/// The words of Qwen 2.
const QWEN2_WORDS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// The words of CLIP.
const CLIP_WORDS: &str = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

/// Returns the steps besides the post-processor.
fn steps_of(kind: &BpeKind, prefix_space: bool) -> RestJson {
    let byte_level = steps::byte_level(true, true, true);
    let words = |regex, behavior, invert, byte_level| {
        steps::pre_tokenizers(&[steps::split(regex, behavior, invert), byte_level])
    };
    let (normalizer, pre_tokenizer, decoder) = match kind.words {
        Words::ByteLevel => {
            let pre_tokenizer = steps::byte_level(prefix_space, true, true);
            (Value::Null, pre_tokenizer, byte_level)
        }
        Words::Qwen2 => {
            let bytes = steps::byte_level(false, true, false);
            let pre_tokenizer = words(QWEN2_WORDS, "Isolated", false, bytes);
            (steps::plain("NFC"), pre_tokenizer, byte_level)
        }
        Words::Clip => {
            let normalizer = steps::normalizers(vec![
                steps::plain("NFC"),
                steps::replace_all(r"\s+", " "),
                steps::plain("Lowercase"),
            ]);
            let bytes = steps::byte_level(false, true, true);
            let pre_tokenizer = words(CLIP_WORDS, "Removed", true, bytes);
            (normalizer, pre_tokenizer, byte_level)
        }
        Words::Bert => {
            let decoder = json!({"type": "BPEDecoder", "suffix": kind.suffix});
            let normalizer = steps::bert_normalizer(true, None, true);
            (normalizer, steps::plain("BertPreTokenizer"), decoder)
        }
    };
    RestJson {
        normalizer,
        pre_tokenizer,
        decoder,
        ..RestJson::default()
    }
}

fn post_processor<'p>(
    kind: &BpeKind,
    source: &Source<'_>,
    prefix_space: bool,
    piece: &dyn Fn(u32) -> Option<&'p str>,
) -> Result<Value> {
    let token = |name: &str| -> Result<Value> {
        let token = source.token(name)?;
        Ok(json!([token, source.id(token)?]))
    };
    let roberta = |sep: &str, cls: &str, trim: bool| -> Result<Value> {
        Ok(json!({
            "type": "RobertaProcessing",
            "sep": token(sep)?,
            "cls": token(cls)?,
            "trim_offsets": trim,
            "add_prefix_space": prefix_space,
        }))
    };
    match &kind.ends {
        Ends::None if matches!(kind.words, Words::Bert) => Ok(Value::Null),
        Ends::None => Ok(steps::byte_level(true, false, true)),
        Ends::Gpt2 if source.settings.add_bos_token.truth_or(false) => {
            template::build("{bos}:0 $A:0", Some("{bos}:0 $A:0 $B:1"), None, source)
        }
        Ends::Gpt2 => Ok(steps::byte_level(true, false, true)),
        Ends::Roberta => roberta("{sep}", "{cls}", true),
        Ends::Clip => roberta("{eos}", "{bos}", false),
        Ends::Template(template) => template.build(source),
        Ends::Whisper => whisper::post_processor(source, piece),
    }
}
