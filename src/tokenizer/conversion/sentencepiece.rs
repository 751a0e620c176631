//! Converts a SentencePiece file (`SpmConverter` and its relatives).

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Value, json};

use super::digits::is_digit;
use super::families::{Family, Legacy, Normalizer, Pieces, Unknown, Words};
use super::score_merges;
use super::slow_ids::{SlowIds, ids_of};
use super::source::Source;
use super::steps::{self, SPACE_MARK};
use crate::error::{Error, Result};
use crate::formats::algorithm::Algorithm;
use crate::formats::class_settings::ClassSettings;
use crate::formats::config::{AddedTokenConfig, AddedTokenFields, SpecialTokenConfig};
use crate::formats::model_settings::ModelSettings;
use crate::formats::piece_list::{Numbers, PieceList};
use crate::formats::sentencepiece::{PieceKind, SentencePieceModel};
use crate::formats::setting::Setting;
use crate::formats::tokenizer_json::{ModelJson, RestJson, TokenizerJson};
use crate::tokenizer::class::whole_number;
use crate::tokenizer::special_tokens::SpecialTokens;

/// A vocabulary as a list of pieces and scores.
type Scored<'a> = Vec<(Cow<'a, str>, f64)>;

/// Converts the content of a file.
///
/// # Errors
/// Fails with [`Error::Damaged`] if the file is not a SentencePiece model, or with [`Error::Unsupported`] if the
/// reference refuses its algorithm, or the settings or special tokens of the model.
pub fn convert(
    name: &str,
    bytes: &[u8],
    family: &Family,
    settings: &ClassSettings,
    tokens: &SpecialTokens,
) -> Result<TokenizerJson> {
    let model = SentencePieceModel::parse(name, bytes)?;
    let of_file: HashMap<&str, u32> = model
        .pieces
        .iter()
        .map(|piece| &*piece.text)
        .zip(0..)
        .collect();
    let scored = pieces(name, family, &model, settings, tokens)?;
    let vocab = PieceList {
        texts: scored.iter().map(|(piece, _)| piece).collect(),
        numbers: Numbers::Scores(scored.iter().map(|(_, score)| *score).collect()),
    };
    let converted = ids_of(&vocab);
    let find = |text: &str| converted.get(text).copied();
    let own = with_own_ids(name, family, settings, tokens)?;
    let unknown_piece = looks_up_pieces(family).then_some(model.unknown_id);
    let slow = SlowIds::new(&own, converted.len(), &find, unknown_piece);
    let source = Source {
        name,
        settings,
        tokens,
        ids: &slow,
    };
    let prefix = Prefix::new(family, settings);
    let template = family.template.as_ref();
    let rest = RestJson {
        added_tokens: added_tokens(family, &model),
        normalizer: normalizer(family, &model, settings, &prefix),
        pre_tokenizer: pre_tokenizer(family, &prefix),
        post_processor: template.map_or(Ok(Value::Null), |template| template.build(&source))?,
        decoder: decoder(family, &prefix),
        ..RestJson::default()
    };
    let model = match model.algorithm {
        Algorithm::Unigram => ModelJson {
            unk_id: Some(unknown_id(family, &model, &source)?),
            ..unigram(family, vocab)
        },
        Algorithm::Bpe => bpe(family, &model, &of_file, &scored),
        other => {
            let problem = format!(
                "its algorithm is {}, but the reference converts only Unigram and BPE",
                other.name()
            );
            return Err(Error::unsupported(name, problem));
        }
    };
    Ok(TokenizerJson { model, rest })
}

fn unigram(family: &Family, vocab: PieceList) -> ModelJson {
    ModelJson {
        kind: Some("Unigram".to_owned()),
        vocab,
        settings: ModelSettings {
            byte_fallback: Some(family.byte_fallback),
            ..ModelSettings::default()
        },
        ..ModelJson::default()
    }
}

fn bpe(
    family: &Family,
    model: &SentencePieceModel,
    own: &HashMap<&str, u32>,
    scored: &Scored<'_>,
) -> ModelJson {
    let scores: Vec<(&str, f64)> = (scored.iter())
        .map(|(piece, score)| (piece.as_ref(), *score))
        .collect();
    let mut own = Cow::Borrowed(own);
    if let (Pieces::Gemma, Some(&id)) = (&family.pieces, own.get(TAB_PIECE)) {
        own.to_mut().insert("\t", id);
    }
    let ids = (0..).take(scores.len()).collect();
    ModelJson {
        kind: Some("BPE".to_owned()),
        merges: Some(score_merges::derive(&own, &scores)),
        vocab: PieceList {
            texts: scores.iter().map(|(piece, _)| piece).collect(),
            numbers: Numbers::Ids(ids),
        },
        settings: ModelSettings {
            unk_token: Some(model.unknown_piece.clone()),
            fuse_unk: Some(true),
            byte_fallback: Some(family.byte_fallback),
            ..ModelSettings::default()
        },
        ..ModelJson::default()
    }
}

/// The byte piece of a tab.
const TAB_PIECE: &str = "<0x09>";

/// Returns true if the slow tokenizer looks up a token among the pieces of the file alone, so that a token that is not
/// one has the id of the file's unknown piece, and not that of the unknown token.
fn looks_up_pieces(family: &Family) -> bool {
    matches!(
        family.pieces,
        Pieces::AsTheyAre | Pieces::NumbersBeforeCommas | Pieces::T5
    )
}

/// Returns the pieces of the converted vocabulary.
fn pieces<'a>(
    name: &str,
    family: &Family,
    model: &'a SentencePieceModel,
    settings: &'a ClassSettings,
    tokens: &'a SpecialTokens,
) -> Result<Scored<'a>> {
    let own = |skipped: usize| {
        let pieces = model.pieces.iter().skip(skipped);
        pieces.map(|piece| (Cow::Borrowed(piece.text.as_str()), f64::from(piece.score)))
    };
    let unscored = |text: &'a str| (Cow::Borrowed(text), 0.0);
    Ok(match &family.pieces {
        Pieces::AsTheyAre => own(0).collect(),
        Pieces::NumbersBeforeCommas => own(0)
            .map(|(piece, score)| {
                let score = if is_number_before_comma(&piece) {
                    score - 100.0
                } else {
                    score
                };
                (piece, score)
            })
            .collect(),
        Pieces::Replaced {
            first,
            skipped,
            last,
        } => {
            let first = first
                .iter()
                .map(|(piece, score)| (Cow::Borrowed(*piece), *score));
            let last = last.iter().copied().flatten().map(|piece| unscored(piece));
            first.chain(own(*skipped)).chain(last).collect()
        }
        Pieces::Llama => {
            let first = (0..).zip(own(0)).take(3).map(|(id, (piece, _))| {
                let added = tokens.added.get(&id);
                added.map_or((piece, 0.0), |token| unscored(&token.content))
            });
            first.chain(own(3)).collect()
        }
        Pieces::Gemma => {
            let map = &tokens.map;
            let first = [
                ("pad_token", &map.pad_token),
                ("eos_token", &map.eos_token),
                ("bos_token", &map.bos_token),
            ];
            let first = first.map(|(token, slot)| {
                let text = slot.given().map(SpecialTokenConfig::text);
                let missing = || Error::unsupported(name, format!("the tokenizer has no {token}"));
                text.map(unscored).ok_or_else(missing)
            });
            let own = own(3).map(|(piece, score)| match piece.as_ref() {
                TAB_PIECE => (Cow::Borrowed("\t"), score),
                _ => (piece, score),
            });
            first
                .into_iter()
                .chain(own.map(Ok))
                .collect::<Result<_>>()?
        }
        Pieces::T5 => {
            let count = whole_number("extra_ids", &settings.extra_ids, 100);
            let count = count.map_err(|problem| Error::unsupported(name, problem))?;
            let extra = (0..count)
                .rev()
                .map(|id| (format!("<extra_id_{id}>").into(), 0.0));
            own(0).chain(extra).collect()
        }
        Pieces::Pegasus => pegasus(name, settings, tokens)?
            .into_iter()
            .chain(own(2))
            .collect(),
    })
}

/// Returns the pieces that Pegasus has before those of the file.
fn pegasus<'a>(
    name: &str,
    settings: &'a ClassSettings,
    tokens: &'a SpecialTokens,
) -> Result<Scored<'a>> {
    let offset = pegasus_offset(name, settings)?;
    let text = |slot: Option<&'a SpecialTokenConfig>| slot.map(SpecialTokenConfig::text);
    let sent = match &settings.mask_token_sent {
        Setting::Absent => Some("<mask_1>"),
        setting => setting.text(),
    };
    let map = &tokens.map;
    let ends = [text(map.pad_token.given()), text(map.eos_token.given())];
    // The mask token has the id 3 if the sentence mask is in the vocabulary, and else that of its piece.
    let mask = text(map.mask_token.given()).filter(|_| sent.is_some() && offset > 3);
    let special = ends.into_iter().chain([sent, mask]).flatten();
    let special = special.map(|token| (Cow::Borrowed(token), 0.0));
    let unknown = (2..offset).map(|id| (format!("<unk_{id}>").into(), -100.0));
    Ok(special.chain(unknown).collect())
}

fn pegasus_offset(name: &str, settings: &ClassSettings) -> Result<u32> {
    whole_number("offset", &settings.offset, 103)
        .map_err(|problem| Error::unsupported(name, problem))
}

/// Returns the special tokens with those that the slow tokenizer of Pegasus adds under ids of its own.
fn with_own_ids<'a>(
    name: &str,
    family: &Family,
    settings: &ClassSettings,
    tokens: &'a SpecialTokens,
) -> Result<Cow<'a, SpecialTokens>> {
    let mut tokens = Cow::Borrowed(tokens);
    if matches!(family.pieces, Pieces::Pegasus) {
        let before: Vec<String> = (pegasus(name, settings, &tokens)?.into_iter())
            .map(|(piece, _)| piece.into_owned())
            .collect();
        let before = before
            .into_iter()
            .map(|piece| AddedTokenFields::new(piece, true));
        tokens.to_mut().added.extend((0..).zip(before));
    }
    Ok(tokens)
}

/// Returns true if a piece ends with a digit and a comma.
fn is_number_before_comma(piece: &str) -> bool {
    let number = piece
        .strip_suffix(',')
        .and_then(|number| number.chars().next_back());
    number.is_some_and(is_digit)
}

fn unknown_id(family: &Family, model: &SentencePieceModel, source: &Source<'_>) -> Result<u32> {
    Ok(match family.unknown {
        Unknown::OfFile => model.unknown_id,
        Unknown::Id(id) => id,
        Unknown::Token => source.id(source.token("{unk}")?)?,
        Unknown::Pegasus => model
            .unknown_id
            .saturating_add(pegasus_offset(source.name, source.settings)?),
    })
}

/// Returns the pieces that are matched in the raw text: control pieces, which are special, and user-defined pieces.
fn added_tokens(family: &Family, model: &SentencePieceModel) -> Vec<AddedTokenConfig> {
    let pieces = model.pieces.iter();
    let pieces =
        pieces.filter(|piece| matches!(piece.kind, PieceKind::Control | PieceKind::UserDefined));
    let token = pieces.map(|piece| {
        let special =
            piece.kind == PieceKind::Control || family.special.contains(&piece.text.as_str());
        AddedTokenConfig::from(AddedTokenFields {
            normalized: Some(false),
            ..AddedTokenFields::new(piece.text.as_str(), special)
        })
    });
    token.collect()
}

/// How a mark is put before the first word.
struct Prefix {
    is_added: bool,
    is_legacy: bool,
}

impl Prefix {
    fn new(family: &Family, settings: &ClassSettings) -> Self {
        let legacy = &settings.legacy;
        Self {
            is_added: !family.takes_prefix_space || settings.add_prefix_space.truth_or(true),
            is_legacy: match family.legacy {
                Legacy::Always => true,
                Legacy::ByDefault => legacy.is_none() || legacy.truth_or(true),
                Legacy::Never => false,
            },
        }
    }

    fn scheme(&self) -> &'static str {
        match (self.is_added, self.is_legacy) {
            (false, _) => "never",
            (true, true) => "always",
            (true, false) => "first",
        }
    }
}

fn normalizer(
    family: &Family,
    model: &SentencePieceModel,
    settings: &ClassSettings,
    prefix: &Prefix,
) -> Value {
    let charsmap = &model.precompiled_charsmap;
    let of_file = (!charsmap.is_empty()).then(|| steps::precompiled(charsmap));
    let quotes = || [steps::replace("``", "\""), steps::replace("''", "\"")];
    let one_space = || steps::replace_all(" {2,}", " ");
    let folding = |lowercase: bool, keep_accents: bool| {
        let mut folding = Vec::new();
        if !settings.keep_accents.truth_or(keep_accents) {
            folding.extend([steps::plain("NFKD"), steps::plain("StripAccents")]);
        }
        if settings.do_lower_case.truth_or(lowercase) {
            folding.push(steps::plain("Lowercase"));
        }
        folding
    };
    let mut list = Vec::new();
    match family.normalizer {
        Normalizer::OfFile => {
            list.extend(of_file);
            list.push(json!({"type": "Strip", "strip_left": false, "strip_right": true}));
            list.push(steps::replace_all(" {2,}", SPACE_MARK));
        }
        Normalizer::Albert {
            lowercase,
            keep_accents,
        } => {
            list.extend(quotes());
            list.extend(folding(lowercase, keep_accents));
            list.extend(of_file);
            list.push(one_space());
        }
        Normalizer::RemBert => {
            list.extend(quotes());
            list.push(one_space());
            list.extend(folding(false, true));
            list.extend(of_file);
        }
        Normalizer::Gemma => return steps::replace(" ", SPACE_MARK),
        Normalizer::Llama if !prefix.is_legacy => return Value::Null,
        Normalizer::Llama => {
            if prefix.is_added {
                list.push(json!({"type": "Prepend", "prepend": SPACE_MARK}));
            }
            list.push(steps::replace(" ", SPACE_MARK));
        }
    }
    steps::normalizers(list)
}

fn pre_tokenizer(family: &Family, prefix: &Prefix) -> Value {
    let metaspace = |split| steps::metaspace(prefix.scheme(), split);
    match family.words {
        Words::Metaspace => metaspace(true),
        Words::WhiteSpace => {
            steps::pre_tokenizers(&[steps::plain("WhitespaceSplit"), metaspace(true)])
        }
        Words::Gemma => json!({
            "type": "Split",
            "pattern": {"String": " "},
            "behavior": "MergedWithPrevious",
            "invert": false,
        }),
        Words::Llama if prefix.is_legacy => Value::Null,
        Words::Llama => metaspace(false),
    }
}

fn decoder(family: &Family, prefix: &Prefix) -> Value {
    match family.words {
        Words::Metaspace | Words::WhiteSpace => steps::metaspace(prefix.scheme(), true),
        Words::Gemma => steps::byte_fallback_decoder(false),
        Words::Llama => steps::byte_fallback_decoder(prefix.is_added),
    }
}
