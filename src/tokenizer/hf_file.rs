//! Reads a `tokenizer.json` into the tokenizer of the `tokenizers` crate, several times as fast as the crate does.
//!
//! The crate reads a model first into a tree of values, and then from there. Here, the usual models are read directly.
//! In all other cases, and for every error, the crate decides.

use serde::Deserialize;
use tokenizers::models::ModelWrapper;
use tokenizers::models::bpe::{BPE, Merges, Vocab};
use tokenizers::models::unigram::Unigram;
use tokenizers::models::wordlevel::WordLevel;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::processors::PostProcessorWrapper;
use tokenizers::{AddedToken, DecoderWrapper, PaddingParams, Tokenizer, TruncationParams};

use super::hf_engine::add_tokens;
use crate::formats::merge_list::MergeList;
use crate::formats::model_settings::ModelSettings;
use crate::formats::piece_list::Numbers;
use crate::formats::tokenizer_json::{ModelJson, RestJson, TokenizerJson};

/// Reads a file without its truncation and padding.
///
/// # Errors
/// Fails if the crate cannot read it.
pub fn read(bytes: &[u8]) -> tokenizers::Result<Tokenizer> {
    let file = serde_json::from_slice::<File>(bytes).ok();
    match file.and_then(File::into_tokenizer) {
        Some(tokenizer) => Ok(tokenizer),
        None => {
            let mut tokenizer = Tokenizer::from_bytes(bytes)?;
            tokenizer.with_truncation(None)?.with_padding(None);
            Ok(tokenizer)
        }
    }
}

/// Builds the tokenizer of a file that was never written.
///
/// # Errors
/// Fails if the crate refuses the model or a step.
pub fn build(json: TokenizerJson) -> tokenizers::Result<Tokenizer> {
    let TokenizerJson { mut model, rest } = json;
    if rest.has_stated_ids {
        state_ids(&mut model, &rest);
    }
    let model = match model.vocab.numbers {
        Numbers::Scores(scores) => {
            let texts = model.vocab.texts.iter().map(str::to_owned);
            let unknown = model.unk_id.map(|id| id as usize);
            let falls_back = model.settings.byte_fallback.unwrap_or(false);
            Unigram::from(texts.zip(scores).collect(), unknown, falls_back)?.into()
        }
        Numbers::Ids(_) => into_model(model).ok_or("its model has another kind of fields")??,
    };
    let mut tokenizer = Tokenizer::new(model);
    tokenizer
        .with_normalizer(Option::<NormalizerWrapper>::deserialize(&rest.normalizer)?)
        .with_pre_tokenizer(Option::<PreTokenizerWrapper>::deserialize(
            &rest.pre_tokenizer,
        )?)
        .with_post_processor(Option::<PostProcessorWrapper>::deserialize(
            &rest.post_processor,
        )?)
        .with_decoder(Option::<DecoderWrapper>::deserialize(&rest.decoder)?);
    add_tokens(&mut tokenizer, &rest.added_tokens);
    Ok(tokenizer)
}

/// Adds the added tokens with stated ids to the vocabulary: to others, the crate gives the next ids.
fn state_ids(model: &mut ModelJson, rest: &RestJson) {
    let Numbers::Ids(ids) = &mut model.vocab.numbers else {
        return;
    };
    for (token, id) in rest.added_tokens.iter().zip(&rest.added_token_ids) {
        if let Some(id) = id {
            model.vocab.texts.push(&token.content);
            ids.push(*id);
        }
    }
}

/// A file that is read directly: every field is known and occurs once.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: Version,
    #[serde(default, rename = "truncation")]
    _truncation: Option<TruncationParams>,
    #[serde(default, rename = "padding")]
    _padding: Option<PaddingParams>,
    #[serde(default)]
    added_tokens: Vec<Token>,
    normalizer: Option<NormalizerWrapper>,
    pre_tokenizer: Option<PreTokenizerWrapper>,
    post_processor: Option<PostProcessorWrapper>,
    decoder: Option<DecoderWrapper>,
    model: ModelJson,
}

#[derive(Deserialize)]
enum Version {
    #[serde(rename = "1.0")]
    One,
}

#[derive(Deserialize)]
struct Token {
    #[serde(rename = "id")]
    _id: u32,
    #[serde(flatten)]
    token: AddedToken,
}

impl File {
    fn into_tokenizer(self) -> Option<Tokenizer> {
        let Version::One = self.version;
        let mut tokenizer = Tokenizer::new(into_model(self.model)?.ok()?);
        tokenizer
            .with_normalizer(self.normalizer)
            .with_pre_tokenizer(self.pre_tokenizer)
            .with_post_processor(self.post_processor)
            .with_decoder(self.decoder);
        let tokens: Vec<AddedToken> = self.added_tokens.into_iter().map(|t| t.token).collect();
        tokenizer.add_tokens(&tokens);
        Some(tokenizer)
    }
}

/// Returns the model that the crate makes of these fields. Returns `None` if the crate should decide. Without a type, the
/// crate tries all algorithms in turn.
fn into_model(model: ModelJson) -> Option<tokenizers::Result<ModelWrapper>> {
    if model.is_refused || model.has_other_fields || model.unk_id.is_some() {
        return None;
    }
    let Numbers::Ids(ids) = &model.vocab.numbers else {
        return None;
    };
    let texts = model.vocab.texts.iter().map(str::to_owned);
    let vocab = texts.zip(ids.iter().copied()).collect();
    match (model.kind.as_deref(), &model.merges) {
        (None | Some("BPE"), Some(merges)) => bpe(vocab, merges, model.settings),
        (None | Some("WordPiece"), None) => wordpiece(vocab, model.settings),
        (Some("WordLevel"), None) => wordlevel(vocab, model.settings),
        _ => None,
    }
}

fn bpe(
    vocab: Vocab,
    merges: &MergeList,
    settings: ModelSettings,
) -> Option<tokenizers::Result<ModelWrapper>> {
    if settings.max_input_chars_per_word.is_some() || settings.dropout.is_some() {
        return None;
    }
    let owned = |(left, right): (&str, &str)| (left.to_owned(), right.to_owned());
    let merges: Merges = merges.pairs()?.map(owned).collect();
    let mut builder = BPE::builder().vocab_and_merges(vocab, merges);
    if let Some(token) = settings.unk_token {
        builder = builder.unk_token(token);
    }
    if let Some(prefix) = settings.continuing_subword_prefix {
        builder = builder.continuing_subword_prefix(prefix);
    }
    if let Some(suffix) = settings.end_of_word_suffix {
        builder = builder.end_of_word_suffix(suffix);
    }
    if let Some(flag) = settings.fuse_unk {
        builder = builder.fuse_unk(flag);
    }
    if let Some(flag) = settings.byte_fallback {
        builder = builder.byte_fallback(flag);
    }
    if let Some(flag) = settings.ignore_merges {
        builder = builder.ignore_merges(flag);
    }
    Some(builder.build().map(ModelWrapper::BPE))
}

fn wordpiece(
    vocab: Vocab,
    mut settings: ModelSettings,
) -> Option<tokenizers::Result<ModelWrapper>> {
    let builder = WordPiece::builder()
        .vocab(vocab)
        .unk_token(settings.unk_token.take()?)
        .continuing_subword_prefix(settings.continuing_subword_prefix.take()?)
        .max_input_chars_per_word(settings.max_input_chars_per_word.take()?);
    let has_others = settings != ModelSettings::default();
    (!has_others).then(|| builder.build().map(ModelWrapper::WordPiece))
}

fn wordlevel(
    vocab: Vocab,
    mut settings: ModelSettings,
) -> Option<tokenizers::Result<ModelWrapper>> {
    let builder = WordLevel::builder()
        .vocab(vocab)
        .unk_token(settings.unk_token.take()?);
    let has_others = settings != ModelSettings::default();
    (!has_others).then(|| builder.build().map(ModelWrapper::WordLevel))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files that are read directly, and files that are left to the crate.
    const DIRECT: &[&str] = &[
        r#"{"type": "BPE", "dropout": null, "unk_token": null, "fuse_unk": false, "byte_fallback": true,
            "ignore_merges": true, "vocab": {"a": 0, "b": 1, "ab": 2, "a": 3}, "merges": [["a", "b"]]}"#,
        r#"{"unk_token": "a", "continuing_subword_prefix": "b", "end_of_word_suffix": "</w>",
            "vocab": {"a": 0, "b": 1, "ba": 4, "aa": 3}, "merges": ["a ba"]}"#,
        r#"{"merges": [], "vocab": {}, "type": "BPE"}"#,
        r##"{"type": "BPE", "vocab": {"a": 0, "aa": 1}, "merges": ["#version: 0.2", "a a"]}"##,
        r#"{"type": "BPE", "vocab": {}, "vocab": {"a": 0}, "merges": []}"#,
        r###"{"type": "WordPiece", "unk_token": "u", "continuing_subword_prefix": "##", "max_input_chars_per_word": 3,
            "vocab": {"u": 1, "##a": 5}}"###,
        r###"{"unk_token": "u", "continuing_subword_prefix": "##", "max_input_chars_per_word": 3, "vocab": {}}"###,
        r#"{"type": "WordLevel", "unk_token": "u", "vocab": {"\u0061": 1}}"#,
    ];
    const LEFT: &[&str] = &[
        r#"{"type": "BPE", "dropout": 0.5, "vocab": {}, "merges": []}"#,
        r#"{"type": "BPE", "vocab": {"a": 0, "aa": 1}, "merges": [["a", "a"], "a a"]}"#,
        r#"{"type": "BPE", "vocab": {"a": 0, "aa": 1}, "merges": [["a", "a", "a"]]}"#,
        r#"{"type": "BPE", "vocab": {"a": 0, "aa": 1}, "merges": ["a a a"]}"#,
        r#"{"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "a"]]}"#,
        r#"{"type": "BPE", "vocab": {"a": -1}, "merges": []}"#,
        r#"{"type": "BPE", "vocab": {}}"#,
        r#"{"type": null, "vocab": {}, "merges": []}"#,
        r#"{"type": "BPE", "vocab": {}, "merges": [], "x": 1}"#,
        r#"{"type": "WordPiece", "vocab": {}, "merges": []}"#,
        r#"{"unk_token": "u", "vocab": {"u": 1}}"#,
        r#"{"type": "WordLevel", "unk_token": null, "vocab": {}}"#,
        r#"{"type": "Unigram", "unk_id": 0, "vocab": [["a", 0.5]]}"#,
        r#"{"type": "X", "vocab": {}}"#,
        "[]",
    ];

    fn file(model: &str) -> String {
        format!(
            r#"{{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [
                {{"id": 9, "content": "A", "single_word": false, "lstrip": true, "rstrip": false, "normalized": true,
                "special": false}}], "normalizer": {{"type": "Lowercase"}}, "pre_tokenizer": {{"type": "Whitespace"}},
                "post_processor": {{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false}},
                "decoder": null, "model": {model}}}"#
        )
    }

    fn is_direct(file: &str) -> bool {
        let file = serde_json::from_str::<File>(file).ok();
        file.and_then(File::into_tokenizer).is_some()
    }

    /// Returns the tokenizer as JSON, or the error. Of several missing fields, the crate names any.
    fn described(tokenizer: tokenizers::Result<Tokenizer>) -> Result<String, String> {
        let json = tokenizer.and_then(|tokenizer| tokenizer.to_string(false));
        json.map_err(|error| {
            let error = error.to_string();
            match error.split_once('`') {
                Some(("missing field ", _)) => "missing field".to_owned(),
                _ => error,
            }
        })
    }

    #[test]
    fn a_file_is_read_as_by_the_crate() {
        for (models, direct) in [(DIRECT, true), (LEFT, false)] {
            for model in models {
                let file = file(model);
                assert_eq!(is_direct(&file), direct, "{model}");
                let expected = described(Tokenizer::from_bytes(&file));
                assert_eq!(described(read(file.as_bytes())), expected, "{model}");
            }
        }
    }

    #[test]
    fn what_the_crate_refuses_is_not_read_directly() {
        let file = file(DIRECT[0]);
        for (from, to) in [
            (r#""version": "1.0""#, r#""version": "2.0""#),
            (r#""version": "1.0""#, r#""version": null"#),
            (r#""id": 9"#, r#""id": null"#),
            (r#""normalizer": {"#, r#""normalizer": 3, "x": {"#),
            (r#""decoder": null"#, r#""decoder": {"type": "X"}"#),
            (r#""padding": null"#, r#""padding": {}"#),
            (r#""truncation": null"#, r#""truncation": {}"#),
            (r#""added_tokens": ["#, r#""added_tokens": null, "x": ["#),
        ] {
            assert!(file.contains(from), "{from}");
            let file = file.replace(from, to);
            assert!(!is_direct(&file), "{to}");
            let expected = described(Tokenizer::from_bytes(&file));
            assert_eq!(described(read(file.as_bytes())), expected, "{to}");
        }
    }
}
