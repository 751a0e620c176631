//! Settings that the reference refuses, or with which it does not read the `tokenizer.json`.

use super::kinds::{Class, Rewrite};
use crate::formats::config::{SpecialTokenConfig, SpecialTokensMap, TokenizerConfig};
use crate::formats::setting::Setting;

/// Returns a sentence about each setting with which the reference does not read the `tokenizer.json`. `tokens` are the
/// special tokens with the defaults of the class.
pub fn find_slow(
    class: &Class,
    config: &TokenizerConfig,
    tokens: &SpecialTokensMap,
) -> Vec<String> {
    let mut refusals = Vec::new();
    let settings = &config.class;
    let has = |wanted: fn(&Rewrite) -> bool| class.rewrites.iter().any(wanted);
    let slow = |setting: &str| {
        format!(
            "{setting}, so that the reference builds the tokenizer from the file of its slow class"
        )
    };
    if settings.from_slow.truth_or(false) {
        refusals.push(slow("`from_slow` is set"));
    } else if has(|rewrite| matches!(rewrite, Rewrite::PrefixSpaceFromSlow))
        && !settings.add_prefix_space.is_none()
    {
        refusals.push(slow("`add_prefix_space` is set"));
    } else if has(|rewrite| matches!(rewrite, Rewrite::TokensFromSlow)) {
        let named = tokens.named().into_iter().zip(class.tokens);
        refusals.extend(named.filter_map(|((name, slot), default)| {
            let is_checked = ["pad_token", "eos_token", "unk_token"].contains(&name);
            let given = slot.given().map(SpecialTokenConfig::text);
            (is_checked && given != default.text)
                .then(|| slow(&format!("`{name}` is not the default of the class")))
        }));
    }
    if settings.tokenizer_file != Setting::Absent {
        refusals.push(
            "`tokenizer_file` is set, so that the reference does not look for the file".to_owned(),
        );
    }
    refusals
}

/// Returns a sentence about each setting that the reference refuses.
pub fn find(config: &TokenizerConfig) -> Vec<String> {
    let mut refusals = Vec::new();
    let split = &config.class.split_special_tokens;
    if split.flag().is_none() && *split != Setting::Absent {
        refusals.push(format!(
            "`split_special_tokens` must be true or false, not {split}"
        ));
    }
    if let Some(side) = &config.truncation_side
        && !["left", "right"].contains(&side.as_str())
    {
        refusals.push(format!(
            "`truncation_side` must be left or right, not {side:?}"
        ));
    }
    if config.extra_special_tokens.malformed {
        refusals.push("`extra_special_tokens` must be an object of tokens".to_owned());
    }
    let named = config.special_tokens.named().into_iter();
    let named = named.filter_map(|(name, slot)| Some((name, slot.given()?)));
    let additional = config.special_tokens.additional().iter();
    let additional = additional.map(|token| ("additional_special_tokens", token));
    let extra = config.extra_special_tokens.tokens.iter();
    let extra = extra.map(|(name, token)| (name.as_str(), token));
    let plain = named.chain(additional).chain(extra).find(|(_, token)| {
        matches!(token, SpecialTokenConfig::Full(token) if token.kind.as_deref() != Some("AddedToken"))
    });
    refusals.extend(plain.map(|(name, _)| {
        format!("`{name}` in tokenizer_config.json has rules, but not the type AddedToken")
    }));
    refusals
}
