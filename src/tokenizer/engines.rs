//! Builds the engines of a tokenizer from its [`Definition`].

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use tokenizers::DecoderWrapper;
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::processors::PostProcessorWrapper;

use super::added_vocabulary::CrateVersion;
use super::deberta;
use super::definition::{Definition, Origin};
use super::hf_engine::{HfEngine, add_tokens};
use super::hf_file;
use super::hf_guard::catch_panic;
use super::native::compiled::CompiledVocabulary;
use super::native::{NativeEngine, PipelineConfig, Template};
use super::windows::Windows;
use crate::error::{Error, Result};
use crate::formats::algorithm::Algorithm;
use crate::formats::config::AddedTokenConfig;
use crate::formats::sentencepiece::SentencePieceModel;

/// The native engine, with the `tokenizers` crate's truncation and post-processing, which the engine does not have.
#[derive(Debug)]
pub struct Native {
    pub engine: NativeEngine,
    pub windows: Windows,
}

/// Builds the native engine. Returns `None` if it would not be exact for this tokenizer.
pub fn native(definition: &Definition) -> Option<Native> {
    if definition.runner.is_some() {
        return None;
    }
    let Origin::Compiled {
        file,
        compiled,
        rest,
    } = &definition.origin
    else {
        return None;
    };
    let added = matched_once(definition)?;
    let own;
    let (config, post_processor) = match rest.as_deref() {
        Some(rest) => {
            let config = PipelineConfig::Json {
                normalizer: &rest.normalizer,
                pre_tokenizer: &rest.pre_tokenizer,
            };
            let post_processor = rest.post_processor.clone();
            // The crate refuses a file with a bad decoder as well.
            let post_processor = catch_panic(|| {
                let _: Option<DecoderWrapper> =
                    serde_json::from_value(rest.decoder.clone()).ok()?;
                serde_json::from_value(post_processor).ok()
            })??;
            (config, post_processor)
        }
        None => {
            let charsmap = compiled.charsmap();
            let config = if deberta::is_plain(&definition.config) {
                PipelineConfig::Deberta { charsmap }
            } else {
                own = deberta::steps_as_json(file.name(), charsmap, &definition.config).ok()?;
                let [normalizer, pre_tokenizer] = &own;
                PipelineConfig::Json {
                    normalizer,
                    pre_tokenizer,
                }
            };
            let id_of = |text: &str| definition.find(text);
            let template = deberta::template(file.name(), id_of, compiled.unknown_id()?).ok()?;
            (config, Some(template))
        }
    };
    let as_json = serde_json::to_value(&post_processor).ok()?;
    if compiled.algorithm() == Algorithm::Unigram && trims_offsets(&as_json) {
        return None;
    }
    if respells_unknown(&added, compiled) {
        return None;
    }
    let template = Template::from_json(&as_json);
    let engine = NativeEngine::new(Arc::clone(compiled), &added, &config, template)?;
    let unknown_id = compiled.unknown_id();
    let windows = Windows {
        file: file.name().to_owned(),
        post_processor,
        unknown: unknown_id.and_then(|id| Some((id, compiled.piece(id)?.to_owned()))),
        cut_left: definition.truncates_left(),
    };
    Some(Native { engine, windows })
}

/// Returns true if the unknown token is not a piece but an added token, and a token with its id may have another spelling.
/// The reference shows all tokens with that id as the unknown token.
fn respells_unknown(added: &[(AddedTokenConfig, u32)], compiled: &CompiledVocabulary) -> bool {
    let settings = compiled.settings().unwrap_or_default();
    let Some(unknown) = settings
        .unk_token
        .filter(|_| compiled.unknown_id().is_none())
    else {
        return false;
    };
    added.iter().any(|(token, id)| {
        let is_exact = !(token.lstrip || token.rstrip || token.normalized);
        *token.content == *unknown && !(is_exact && compiled.piece(*id).is_none())
    })
}

/// Returns true if a post-processor trims offsets by the spaces in a token. The native engine does not keep the
/// normalized text of unknown tokens, which are the tokens of a Unigram model.
fn trims_offsets(post_processor: &Value) -> bool {
    let kind = post_processor.get("type").and_then(Value::as_str);
    let inner = post_processor.get("processors").and_then(Value::as_array);
    matches!(kind, Some("ByteLevel" | "RobertaProcessing"))
        || inner.is_some_and(|inner| inner.iter().any(trims_offsets))
}

/// Builds the engine of the `tokenizers` crate.
///
/// # Errors
/// Fails with [`Error::Damaged`] or [`Error::Unsupported`] if the crate cannot use the file, or with the error of
/// reading it.
pub fn hf(definition: &Definition) -> Result<HfEngine> {
    let name = definition.file().name();
    if let Some(runner) = &definition.runner {
        let problem = "it is run as SentencePiece runs it, which a tokenizer.json cannot describe";
        let error = Error::unsupported(name, problem);
        return Err(error.with_hint(match runner.slow_class() {
            Some(class) => format!(
                "transformers has no fast version of {class} either: use the model's files as they are"
            ),
            None => "if it is the tokenizer of a known class, name the class in a tokenizer_config.json beside the \
                     file, such as {\"tokenizer_class\": \"T5Tokenizer\"}: that class may have a tokenizer.json"
                .to_owned(),
        }));
    }
    let (inner, unknown_id) = match &definition.origin {
        Origin::Compiled {
            compiled,
            rest: None,
            ..
        } => {
            let model = SentencePieceModel::parse(name, &definition.file().read_all()?)?;
            let mut inner = deberta::convert(name, &model, &definition.config)?;
            add_tokens(&mut inner, &deberta::added_pieces(compiled));
            add_tokens(&mut inner, &definition.added);
            let template =
                deberta::template(name, |text| inner.token_to_id(text), model.unknown_id)?;
            inner.with_post_processor(Some(template));
            (inner, Some(model.unknown_id))
        }
        Origin::Json { unknown_id, .. } => (load_json(definition)?, *unknown_id),
        Origin::Compiled { compiled, .. } => (load_json(definition)?, compiled.unknown_id()),
    };
    HfEngine::new(name, inner, unknown_id, definition.truncates_left())
}

/// Reads a `tokenizer.json` with the crate, or builds the one that the model's files are converted to, and adds the
/// tokens of the model's other files.
fn load_json(definition: &Definition) -> Result<tokenizers::Tokenizer> {
    let file = definition.file();
    let inner = match &definition.conversion {
        Some(conversion) => hf_file::build(conversion.convert()?),
        None => hf_file::read(&file.read_all()?),
    };
    let mut inner = inner.map_err(|problem| Error::damaged(file.name(), problem))?;
    match definition.added_vocabulary.version() {
        CrateVersion::V21 => add_tokens(&mut inner, &definition.added),
        CrateVersion::V23 => set_added_tokens(definition, &mut inner)?,
    }
    set_changed_steps(definition, &mut inner)
        .map_err(|problem| Error::damaged(file.name(), problem))?;
    Ok(inner)
}

/// Replaces the added tokens of a tokenizer by those of the definition, which have the rules of another version of the
/// crate.
fn set_added_tokens(definition: &Definition, inner: &mut tokenizers::Tokenizer) -> Result<()> {
    let matched = definition.added_vocabulary.matched();
    inner.with_added_vocabulary(tokenizers::AddedVocabulary::new());
    let tokens: Vec<AddedTokenConfig> = matched.iter().map(|(token, _)| token.clone()).collect();
    add_tokens(inner, &tokens);
    let mut ids = matched.iter();
    if ids.all(|(token, id)| inner.token_to_id(&token.content) == Some(*id)) {
        return Ok(());
    }
    let problem = "its added tokens have ids that the reference engine does not give them";
    Err(Error::unsupported(definition.file().name(), problem))
}

/// Sets the steps that the class of the tokenizer changed. Added tokens that are matched after normalization stay
/// normalized by the file's normalizer, as in the reference.
fn set_changed_steps(
    definition: &Definition,
    inner: &mut tokenizers::Tokenizer,
) -> serde_json::Result<()> {
    let Some(rest) = definition.rest() else {
        return Ok(());
    };
    let changed = &definition.class.changed;
    if changed.normalizer {
        inner.with_normalizer(Option::<NormalizerWrapper>::deserialize(&rest.normalizer)?);
    }
    if changed.pre_tokenizer {
        inner.with_pre_tokenizer(Option::<PreTokenizerWrapper>::deserialize(
            &rest.pre_tokenizer,
        )?);
    }
    if changed.post_processor {
        let processor = Option::<PostProcessorWrapper>::deserialize(&rest.post_processor)?;
        inner.with_post_processor(processor);
    }
    if changed.decoder {
        inner.with_decoder(Option::<DecoderWrapper>::deserialize(&rest.decoder)?);
    }
    Ok(())
}

/// Returns the added tokens as they are matched. Returns `None` if one is matched both in the raw and in the normalized
/// text, or is not normalized by the normalizer of the text.
fn matched_once(definition: &Definition) -> Option<Vec<(AddedTokenConfig, u32)>> {
    let matched = definition.added_vocabulary.matched();
    let mut tokens = matched.iter().map(|(token, _)| token);
    let normalized_anew =
        definition.class.changed.normalizer && tokens.any(|token| token.normalized);
    let is_once = !definition.added_vocabulary.matches_twice() && !normalized_anew;
    is_once.then_some(matched)
}
