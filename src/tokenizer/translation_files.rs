//! Reads the files of translation models that have no fast class.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::added_vocabulary::AddedVocabulary;
use super::class::{Followed, M2M100, WMT21};
use super::compiled_cache::read_sentencepiece;
use super::conversion::SlowIds;
use super::definition::Definition;
use super::no_tokenizer;
use super::runner::Runner;
use super::sentencepiece::SentencePiece;
use super::special_tokens::SpecialTokens;
use super::translation::{Style, Translation};
use super::translation_pieces::TranslationPieces;
use super::windows::Windows;
use crate::error::{Error, Result};
use crate::formats::class_settings::ClassSettings;
use crate::formats::config::{Slot, SpecialTokenConfig, SpecialTokensMap, TokenizerConfig};
use crate::source::{ByteSource, ModelFiles};

const VOCABULARY: &str = "vocab.json";
/// The SentencePiece files of Marian's source and target.
const SOURCE: &str = "source.spm";
const TARGET: &str = "target.spm";
/// The SentencePiece file of M2M100's source and target.
const BOTH: &str = "sentencepiece.bpe.model";
/// The unknown token, unless the files name another.
const UNKNOWN: &str = "<unk>";

/// Returns the style of a slow class; `None` if its files are not read.
pub fn style(class: &str) -> Option<Style> {
    match class {
        "MarianTokenizer" => Some(Style::Marian),
        "M2M100Tokenizer" => Some(Style::M2M100),
        _ => None,
    }
}

/// Returns the name of the class.
fn class_name(style: Style) -> &'static str {
    match style {
        Style::Marian => "MarianTokenizer",
        Style::M2M100 => "M2M100Tokenizer",
    }
}

/// Returns the names of the files with the vocabulary.
pub fn file_names(style: Style) -> &'static [&'static str] {
    match style {
        Style::Marian => &[VOCABULARY, SOURCE, TARGET],
        Style::M2M100 => &[VOCABULARY, BOTH],
    }
}

/// Reads the tokenizer of a model of this style.
///
/// # Errors
/// Fails with [`Error::MissingPart`] if the model lacks a file, with [`Error::Damaged`] or [`Error::Unsupported`] if one
/// cannot be used, or with the error of fetching a file.
pub fn definition(
    files: &ModelFiles,
    mut config: TokenizerConfig,
    style: Style,
) -> Result<Definition> {
    let mut file = find(files, style, VOCABULARY)?;
    let (source, target) = sides(files, style)?;
    if config.class.separate_vocabs.truth_or(false) {
        let problem = "`separate_vocabs` is set in tokenizer_config.json, and the vocabulary of the target is not read";
        return Err(Error::unsupported(file.name(), problem));
    }
    let mut tokens = SpecialTokens::read(files, &mut config, None)?;
    fill_special_tokens(&mut tokens.map, style);
    let unknown = tokens.map.unk_token.given().map(SpecialTokenConfig::text);
    let unknown = unknown.unwrap_or(UNKNOWN);
    let pieces = TranslationPieces::read(files, &mut file, unknown)?;
    let (name, size) = (file.name(), pieces.size());
    let mut added_vocabulary = AddedVocabulary::new(size);
    let added = tokens.to_add(&added_vocabulary);
    let find_piece = |text: &str| pieces.find(text);
    let ids = SlowIds::new(&tokens, size, &find_piece, None);
    added_vocabulary.add(&added, |text| ids.known(text));
    let missing = codes(name, &config.class, style)?;
    let missing = missing_codes(&missing, size, &added_vocabulary);
    let pieces = match missing.is_empty() {
        true => pieces,
        false => pieces.with_more(&file, missing)?,
    };
    let unknown_id = pieces.find(unknown).ok_or_else(|| {
        let problem = format!("it lacks the unknown token {unknown}");
        Error::damaged(name, problem)
    })?;
    let find = |text: &str| added_vocabulary.id(text).or_else(|| pieces.find(text));
    let ends = Ends {
        name,
        tokens: &tokens.map,
        find: &find,
    };
    let (source_windows, target_windows) = ends.of_sides(&config.class, style)?;
    let special: HashSet<String> = (tokens.in_order().into_iter())
        .map(|token| token.text().to_owned())
        .collect();
    let is_new =
        |token: &&SpecialTokenConfig| find(token.text()).is_some_and(|id| id as usize >= size);
    let matched = added_vocabulary.matched();
    let apart = matched.iter().map(|(token, _)| token.content.to_string());
    let apart = apart.filter(|text| !special.contains(text));
    let new = tokens.map.additional().iter().filter(is_new);
    let new = new.map(|token| token.text().to_owned());
    let translation = Translation {
        style,
        source,
        target,
        source_windows,
        target_windows,
        apart: apart.chain(new).collect(),
        added: matched,
        special,
        unknown_id,
    };
    config.tokenizer_class = Some(translation.class().to_owned());
    let cleans_up = &config.class.clean_up_tokenization_spaces;
    config.clean_up_tokenization_spaces = cleans_up.truth_or(false);
    let runner = Runner::translation(translation, VOCABULARY);
    let origin = pieces.into_origin(file, &runner, unknown_id);
    let class = Followed::default();
    let mut definition =
        Definition::new(origin, config, tokens.map, added, added_vocabulary, class);
    definition.runner = Some(Box::new(runner));
    Ok(definition)
}

/// Finds a file of the model.
///
/// # Errors
/// Fails with [`Error::MissingPart`] if there is none.
fn find(files: &ModelFiles, style: Style, name: &str) -> Result<Arc<dyn ByteSource>> {
    let what = match style {
        Style::Marian => "tokenizer.json and no vocab.json with source.spm and target.spm",
        Style::M2M100 => "tokenizer.json and no vocab.json with sentencepiece.bpe.model",
    };
    let file = files.find(name)?;
    let class = (class_name(style), None);
    file.ok_or_else(|| no_tokenizer::without_files(files, what, class, file_names(style)))
}

/// Reads the SentencePiece model of the source and, if it has one of its own, of the target.
fn sides(files: &ModelFiles, style: Style) -> Result<(SentencePiece, Option<SentencePiece>)> {
    let read = |name: &str| {
        let (file, compiled) = read_sentencepiece(files, find(files, style, name)?)?;
        SentencePiece::new(file.name(), Arc::new(compiled), &file.read_all()?)
    };
    Ok(match style {
        Style::Marian => (read(SOURCE)?, Some(read(TARGET)?)),
        Style::M2M100 => (read(BOTH)?, None),
    })
}

/// Fills in the special tokens that the files do not name.
fn fill_special_tokens(map: &mut SpecialTokensMap, style: Style) {
    let mut defaults = vec![
        (&mut map.unk_token, UNKNOWN),
        (&mut map.eos_token, "</s>"),
        (&mut map.pad_token, "<pad>"),
    ];
    if style == Style::M2M100 {
        defaults.push((&mut map.bos_token, "<s>"));
        defaults.push((&mut map.sep_token, "</s>"));
    }
    for (slot, text) in defaults {
        if matches!(slot, Slot::Absent) {
            *slot = Slot::Given(SpecialTokenConfig::Text(text.to_owned()));
        }
    }
}

/// Returns the codes of the languages of a model.
fn codes(name: &str, settings: &ClassSettings, style: Style) -> Result<Vec<&'static str>> {
    let list = match (style, settings.language_codes.text()) {
        (Style::Marian, _) => "",
        (Style::M2M100, None | Some("m2m100")) => M2M100,
        (Style::M2M100, Some("wmt21")) => WMT21,
        (Style::M2M100, Some(other)) => {
            let problem = format!(
                "`language_codes` in tokenizer_config.json is {other:?}, not m2m100 or wmt21"
            );
            return Err(Error::unsupported(name, problem));
        }
    };
    Ok(list.split_whitespace().collect())
}

/// Returns the tokens of languages that follow the `size` pieces, with their ids, unless added tokens have these.
fn missing_codes(codes: &[&str], size: usize, added: &AddedVocabulary) -> Vec<(String, u32)> {
    let first = u32::try_from(size).unwrap_or(u32::MAX);
    let tokens = codes.iter().map(|code| code_token(code)).zip(first..);
    let is_missing =
        |(token, id): &(String, u32)| added.with_id(*id).is_none() && added.id(token).is_none();
    tokens.filter(is_missing).collect()
}

/// Returns the token of a language.
fn code_token(code: &str) -> String {
    format!("__{code}__")
}

/// What the special tokens around a text are made from.
struct Ends<'a> {
    name: &'a str,
    tokens: &'a SpecialTokensMap,
    find: &'a dyn Fn(&str) -> Option<u32>,
}

impl Ends<'_> {
    /// Returns what truncates and completes the texts of the source and, if the files name its language, of the target.
    fn of_sides(
        &self,
        settings: &ClassSettings,
        style: Style,
    ) -> Result<(Windows, Option<Windows>)> {
        if style == Style::Marian {
            return Ok((self.windows(None)?, Some(self.windows(None)?)));
        }
        let source = settings.src_lang.text().unwrap_or("en");
        let target = settings.tgt_lang.text();
        let windows = |code| self.windows(Some(&code_token(code)));
        // As in the reference, the language of the target counts only when it is used.
        let target = target.and_then(|code| windows(code).ok());
        Ok((windows(source)?, target))
    }

    /// Returns what adds the end token, and the token of a language before a text.
    fn windows(&self, language: Option<&str>) -> Result<Windows> {
        let end = self.tokens.eos_token.given().map(SpecialTokenConfig::text);
        let special = |text: &str| json!({"SpecialToken": {"id": text, "type_id": 0}});
        let sequence = |id: &str| json!({"Sequence": {"id": id, "type_id": 0}});
        let around = |texts: &[&str]| -> Vec<Value> {
            let texts = texts.iter().map(|id| sequence(id));
            language
                .map(special)
                .into_iter()
                .chain(texts)
                .chain(end.map(special))
                .collect()
        };
        let mut ids = serde_json::Map::new();
        for text in language.into_iter().chain(end) {
            let problem = || format!("it lacks the token {text}");
            let id = (self.find)(text).ok_or_else(|| Error::damaged(self.name, problem()))?;
            ids.insert(
                text.to_owned(),
                json!({"id": text, "ids": [id], "tokens": [text]}),
            );
        }
        let template = json!({
            "type": "TemplateProcessing",
            "single": around(&["A"]),
            "pair": around(&["A", "B"]),
            "special_tokens": ids,
        });
        let template = serde_json::from_value(template);
        Ok(Windows {
            file: self.name.to_owned(),
            post_processor: Some(template.map_err(|problem| Error::damaged(self.name, problem))?),
            unknown: None,
            cut_left: false,
        })
    }
}
