//! Reads the files of translation models that have no fast class.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::added_vocabulary::AddedVocabulary;
use super::class::{Followed, M2M100, WMT21};
use super::compiled_cache::read_sentencepiece;
use super::definition::{Definition, Origin};
use super::model_pieces::ModelPieces;
use super::no_tokenizer;
use super::runner::Runner;
use super::sentencepiece::SentencePiece;
use super::special_tokens::SpecialTokens;
use super::translation::{Style, Translation};
use super::windows::Windows;
use crate::error::{Error, Result};
use crate::formats::algorithm::Algorithm;
use crate::formats::class_settings::ClassSettings;
use crate::formats::config::{Slot, SpecialTokenConfig, SpecialTokensMap, TokenizerConfig};
use crate::formats::json::parse;
use crate::formats::piece_list::{Numbers, PieceList};
use crate::formats::tokenizer_json::RestJson;
use crate::source::{ByteSource, ModelFiles};

const VOCABULARY: &str = "vocab.json";

/// Returns the style of a slow class; `None` if its files are not read.
pub fn style(class: &str) -> Option<Style> {
    match class {
        "MarianTokenizer" => Some(Style::Marian),
        "M2M100Tokenizer" => Some(Style::M2M100),
        _ => None,
    }
}

/// Returns the names of the files with the vocabulary.
pub fn file_names(style: Style) -> &'static [&'static str] {
    match style {
        Style::Marian => &[VOCABULARY, "source.spm", "target.spm"],
        Style::M2M100 => &[VOCABULARY, "sentencepiece.bpe.model"],
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
    let names = file_names(style);
    let find = |name: &str| -> Result<Arc<dyn ByteSource>> {
        let what = match style {
            Style::Marian => "tokenizer.json and no vocab.json with source.spm and target.spm",
            Style::M2M100 => "tokenizer.json and no vocab.json with sentencepiece.bpe.model",
        };
        files
            .find(name)?
            .ok_or_else(|| no_tokenizer::without_files(files, what, names))
    };
    let vocabulary = find(VOCABULARY)?;
    let (mut models, mut algorithm) = (Vec::new(), Algorithm::Unigram);
    for name in names.iter().skip(1) {
        let (file, compiled) = read_sentencepiece(files, find(name)?)?;
        algorithm = compiled.algorithm();
        let bytes = file.read_all()?;
        models.push(SentencePiece::new(file.name(), Arc::new(compiled), &bytes)?);
    }
    let mut models = models.into_iter();
    let (Some(source), target) = (models.next(), models.next()) else {
        return Err(files.missing("SentencePiece file", names));
    };
    let name = vocabulary.name();
    if config.class.separate_vocabs.truth_or(false) {
        let problem = "`separate_vocabs` is set in tokenizer_config.json, and the vocabulary of the target is not read";
        return Err(Error::unsupported(name, problem));
    }
    let list: PieceList = parse(name, &vocabulary.read_all()?)?;
    if matches!(list.numbers, Numbers::Scores(_)) {
        return Err(Error::damaged(
            name,
            "it is a list, not an object of pieces with their ids",
        ));
    }
    let pieces = ModelPieces::new(list);
    let mut tokens = SpecialTokens::read(files, &mut config, None)?;
    fill_special_tokens(&mut tokens.map, style);
    let size = pieces.size();
    let mut added_vocabulary = AddedVocabulary::new(size);
    let added = tokens.to_add(&added_vocabulary);
    added_vocabulary.add(&added, |text| pieces.find(text));
    let codes = codes(name, &config.class, style)?;
    let pieces = with_codes(pieces, &codes, &added_vocabulary);
    let find = |text: &str| added_vocabulary.id(text).or_else(|| pieces.find(text));
    let unknown = tokens.map.unk_token.given().map(SpecialTokenConfig::text);
    let unknown_id = unknown.and_then(|unknown| pieces.find(unknown));
    let unknown_id = unknown_id.ok_or_else(|| {
        Error::damaged(
            name,
            format!("it lacks the unknown token {}", unknown.unwrap_or("<unk>")),
        )
    })?;
    let ends = Ends {
        name,
        tokens: &tokens.map,
        find: &find,
    };
    let language = |setting: &str| format!("__{setting}__");
    let source_code = config.class.src_lang.text().unwrap_or("en");
    let target_code = config.class.tgt_lang.text();
    let (source_windows, target_windows) = match style {
        Style::Marian => (ends.windows(None)?, Some(ends.windows(None)?)),
        Style::M2M100 => (
            ends.windows(Some(&language(source_code)))?,
            target_code
                .map(|code| ends.windows(Some(&language(code))))
                .transpose()?,
        ),
    };
    let special: HashSet<String> = tokens
        .in_order()
        .into_iter()
        .map(|token| token.text().to_owned())
        .collect();
    let is_new =
        |token: &&SpecialTokenConfig| find(token.text()).is_some_and(|id| id as usize >= size);
    let apart = added_vocabulary
        .matched()
        .into_iter()
        .map(|(token, _)| token.content.to_string());
    let apart = apart.filter(|text| !special.contains(text));
    let apart = apart
        .chain(
            tokens
                .map
                .additional()
                .iter()
                .filter(is_new)
                .map(|token| token.text().to_owned()),
        )
        .collect();
    let translation = Translation {
        style,
        source,
        target,
        source_windows,
        target_windows,
        added: added_vocabulary.matched(),
        special,
        apart,
        unknown_id,
    };
    config.tokenizer_class = Some(translation.class().to_owned());
    let cleans_up = &config.class.clean_up_tokenization_spaces;
    config.clean_up_tokenization_spaces = cleans_up.truth_or(false);
    let runner = Runner::translation(translation, VOCABULARY);
    let origin = Origin::Json {
        file: Arc::clone(&vocabulary),
        algorithm: algorithm.name().to_owned(),
        unknown_id: Some(unknown_id),
        pieces: Box::new(pieces),
        rest: Box::new(RestJson::default()),
    };
    let class = Followed::default();
    let mut definition =
        Definition::new(origin, config, tokens.map, added, added_vocabulary, class);
    definition.runner = Some(Box::new(runner));
    Ok(definition)
}

/// Fills in the special tokens that the files do not name.
fn fill_special_tokens(map: &mut SpecialTokensMap, style: Style) {
    let mut defaults = vec![
        (&mut map.unk_token, "<unk>"),
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

/// Adds the tokens of languages after the pieces, unless added tokens have their ids.
fn with_codes(pieces: ModelPieces, codes: &[&str], added: &AddedVocabulary) -> ModelPieces {
    if codes.is_empty() {
        return pieces;
    }
    let mut list = PieceList::default();
    let mut ids = Vec::with_capacity(pieces.size() + codes.len());
    for (id, piece, _) in pieces.iter() {
        list.texts.push(piece);
        ids.push(id);
    }
    let first = u32::try_from(pieces.size()).unwrap_or(u32::MAX);
    for (code, id) in codes.iter().zip(first..) {
        let token = format!("__{code}__");
        if added.with_id(id).is_none() && added.id(&token).is_none() {
            list.texts.push(&token);
            ids.push(id);
        }
    }
    list.numbers = Numbers::Ids(ids);
    ModelPieces::new(list)
}

/// What the special tokens around a text are made from.
struct Ends<'a> {
    name: &'a str,
    tokens: &'a SpecialTokensMap,
    find: &'a dyn Fn(&str) -> Option<u32>,
}

impl Ends<'_> {
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
