//! Converts a `vocab.txt` of WordPiece (`BertConverter` and its relatives).

use serde_json::json;

use super::slow_ids::{SlowIds, ids_of};
use super::source::Source;
use super::steps;
use super::template::Template;
use crate::error::{Error, Result};
use crate::formats::class_settings::ClassSettings;
use crate::formats::config::SpecialTokenConfig;
use crate::formats::model_settings::ModelSettings;
use crate::formats::piece_list::{Numbers, PieceList};
use crate::formats::setting::Setting;
use crate::formats::text_file;
use crate::formats::tokenizer_json::{ModelJson, RestJson, TokenizerJson};
use crate::record::PackedStrings;
use crate::tokenizer::special_tokens::SpecialTokens;

/// Converts the content of a file.
///
/// # Errors
/// Fails with [`Error::Damaged`] if the file is not text, or with [`Error::Unsupported`] for settings or special tokens
/// that the reference refuses.
pub fn convert(
    name: &str,
    bytes: &[u8],
    template: &Template,
    settings: &ClassSettings,
    tokens: &SpecialTokens,
) -> Result<TokenizerJson> {
    let text = text_file::read(name, bytes)?;
    let vocab = pieces(name, &text)?;
    let ids = ids_of(&vocab);
    let find = |text: &str| ids.get(text).copied();
    let slow = SlowIds::new(tokens, ids.len(), &find, None);
    let source = Source {
        name,
        settings,
        tokens,
        ids: &slow,
    };
    let rest = RestJson {
        normalizer: normalizer(&source)?,
        pre_tokenizer: steps::plain("BertPreTokenizer"),
        post_processor: template.build(&source)?,
        decoder: json!({"type": "WordPiece", "prefix": "##", "cleanup": true}),
        ..RestJson::default()
    };
    let unknown = tokens.map.unk_token.given().map(SpecialTokenConfig::text);
    let model = ModelJson {
        kind: Some("WordPiece".to_owned()),
        settings: ModelSettings {
            unk_token: Some(unknown.unwrap_or("None").to_owned()),
            continuing_subword_prefix: Some("##".to_owned()),
            max_input_chars_per_word: Some(100),
            ..ModelSettings::default()
        },
        vocab,
        ..ModelJson::default()
    };
    Ok(TokenizerJson { model, rest })
}

/// Returns the lines of a file as pieces, whose numbers are their ids.
fn pieces(name: &str, text: &str) -> Result<PieceList> {
    let texts: PackedStrings = text.split_terminator('\n').collect();
    let size = u32::try_from(texts.len());
    let size = size.map_err(|_| Error::damaged(name, "it has more lines than ids"))?;
    let numbers = Numbers::Ids((0..size).collect());
    Ok(PieceList { texts, numbers })
}

/// Returns the normalizer. Without `do_basic_tokenize`, it only cleans the text.
fn normalizer(source: &Source<'_>) -> Result<serde_json::Value> {
    let settings = source.settings;
    if !settings.do_basic_tokenize.truth_or(true) {
        return Ok(steps::bert_normalizer(false, Some(false), false));
    }
    let strip = &settings.strip_accents;
    let strip = match strip {
        Setting::Absent | Setting::Null => None,
        strip => Some(source.flag("strip_accents", strip, false)?),
    };
    let chinese = &settings.tokenize_chinese_chars;
    let chinese = source.flag("tokenize_chinese_chars", chinese, true)?;
    let lowercase = source.flag("do_lower_case", &settings.do_lower_case, true)?;
    Ok(steps::bert_normalizer(chinese, strip, lowercase))
}
