//! Fills in the special tokens that a class has by default, and gives them the rules of the class.

use super::kinds::{Additional, Class};
use super::token_default::{Rules, TokenDefault};
use crate::formats::class_settings::ClassSettings;
use crate::formats::config::{AddedTokenFields, Slot, SpecialTokenConfig, SpecialTokensMap};
use crate::formats::setting::Setting;
use crate::tokenizer::special_tokens::SpecialTokens;

/// The largest number of tokens that a setting may ask for.
const MAX_COUNT: u32 = 100_000;

/// Fills in the special tokens of a class.
///
/// # Errors
/// Fails with a sentence about settings that the class refuses.
pub fn fill(
    class: &Class,
    settings: &ClassSettings,
    tokens: &mut SpecialTokens,
) -> Result<(), String> {
    fill_named(&class.tokens, &mut tokens.map);
    if matches!(class.additional, Additional::Pegasus) {
        tokens.added.clear();
        tokens.are_own = false;
    }
    let given = std::mem::take(&mut tokens.map.additional_special_tokens);
    let filled = additional(class, settings, given.clone());
    let problem = filled.as_ref().err().cloned();
    tokens.map.additional_special_tokens = filled.unwrap_or(given);
    problem.map_or(Ok(()), Err)
}

/// Fills in the named special tokens.
pub fn fill_named(defaults: &[TokenDefault; 7], tokens: &mut SpecialTokensMap) {
    for ((_, slot), default) in tokens.named_mut().into_iter().zip(defaults) {
        fill_slot(slot, *default);
    }
}

fn fill_slot(slot: &mut Slot<SpecialTokenConfig>, default: TokenDefault) {
    if let (Slot::Absent, Some(text)) = (&slot, default.text) {
        *slot = Slot::Given(SpecialTokenConfig::Text(text.to_owned()));
    }
    if let (Slot::Given(token), Some(rules)) = (slot, default.rules)
        && let SpecialTokenConfig::Text(text) = token
    {
        let Rules {
            lstrip,
            normalized,
            special,
        } = rules;
        *token = SpecialTokenConfig::Full(AddedTokenFields {
            lstrip,
            normalized,
            ..AddedTokenFields::new(std::mem::take(text), special)
        });
    }
}

type Tokens = Vec<SpecialTokenConfig>;

fn additional(
    class: &Class,
    settings: &ClassSettings,
    given: Slot<Tokens>,
) -> Result<Slot<Tokens>, String> {
    let is_absent = given == Slot::Absent;
    let given_or_empty = || given.given().cloned().unwrap_or_default();
    Ok(Slot::Given(match class.additional {
        Additional::Named => return Ok(given),
        Additional::Default(_) if !is_absent => return Ok(given),
        Additional::DefaultOrNull(_) if given.given().is_some() => return Ok(given),
        Additional::Default(codes) | Additional::DefaultOrNull(codes) => texts(codes),
        Additional::First(codes) => with_others(texts(codes), given_or_empty()),
        Additional::Last(codes) => with_others(given_or_empty(), texts(codes)),
        Additional::Question if !is_absent => {
            return Err("the class sets `additional_special_tokens` itself".to_owned());
        }
        Additional::Question => named(&settings.question_token, "[QUESTION]")
            .into_iter()
            .collect(),
        Additional::Infilling => {
            let mut tokens = given_or_empty();
            tokens.extend(infilling(settings));
            tokens
        }
        Additional::ExtraIds => extra_ids(settings, given.given())?,
        Additional::Pegasus => pegasus(settings, given.given())?,
    }))
}

fn text(text: impl Into<String>) -> SpecialTokenConfig {
    SpecialTokenConfig::Text(text.into())
}

fn texts(all: &[&str]) -> Tokens {
    all.iter().map(|one| text(*one)).collect()
}

/// Appends the tokens that are not in the list yet.
fn with_others(mut tokens: Tokens, others: Tokens) -> Tokens {
    let known: std::collections::HashSet<_> = tokens.iter().cloned().collect();
    tokens.extend(others.into_iter().filter(|token| !known.contains(token)));
    tokens
}

/// Returns the token that a setting names. Returns `None` if the setting is `null`.
fn named(setting: &Setting, default: &str) -> Option<SpecialTokenConfig> {
    match setting {
        Setting::Absent => Some(text(default)),
        setting => setting.text().map(text),
    }
}

fn infilling(settings: &ClassSettings) -> impl Iterator<Item = SpecialTokenConfig> {
    let tokens = [
        (&settings.prefix_token, "▁<PRE>"),
        (&settings.middle_token, "▁<MID>"),
        (&settings.suffix_token, "▁<SUF>"),
        (&settings.eot_token, "▁<EOT>"),
    ];
    let tokens = tokens.map(|(setting, default)| named(setting, default));
    tokens.into_iter().flatten()
}

/// Returns the whole number that a setting has.
///
/// # Errors
/// Fails with a sentence if it is not a whole number, or too large.
pub fn whole_number(name: &str, setting: &Setting, default: u32) -> Result<u32, String> {
    match setting {
        Setting::Absent => Ok(default),
        Setting::Size(size) if *size <= u64::from(MAX_COUNT) => Ok(*size as u32),
        Setting::Number(number) if number.fract() == 0.0 && *number <= f64::from(MAX_COUNT) => {
            Ok(*number as u32)
        }
        other => Err(format!("`{name}` must be a whole number, not {other}")),
    }
}

fn extra_ids(settings: &ClassSettings, given: Option<&Tokens>) -> Result<Tokens, String> {
    let count = whole_number("extra_ids", &settings.extra_ids, 100)?;
    let new = (0..count).map(|index| text(format!("<extra_id_{index}>")));
    let Some(given) = given else {
        return Ok(new.collect());
    };
    let is_extra = |token: &&SpecialTokenConfig| token.text().contains("<extra_id_");
    match given.iter().filter(is_extra).count() {
        0 => Ok(given.iter().cloned().chain(new).collect()),
        named if count > 0 && named != count as usize => Err(format!(
            "`extra_ids` is {count}, but `additional_special_tokens` has {named} tokens like `<extra_id_0>`"
        )),
        _ => Ok(given.clone()),
    }
}

fn pegasus(settings: &ClassSettings, given: Option<&Tokens>) -> Result<Tokens, String> {
    let offset = whole_number("offset", &settings.offset, 103)?;
    let sent = named(&settings.mask_token_sent, "<mask_1>");
    let unknown = |first: u32, end: u32| (first..end).map(|index| text(format!("<unk_{index}>")));
    let Some(given) = given else {
        return Ok(sent.into_iter().chain(unknown(2, offset)).collect());
    };
    let mut tokens: Tokens = sent
        .filter(|sent| !given.contains(sent))
        .into_iter()
        .collect();
    tokens.extend(given.iter().cloned());
    let first = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
    tokens.extend(unknown(first, offset.saturating_sub(1)));
    let distinct: std::collections::HashSet<_> = tokens.iter().collect();
    if distinct.len() == tokens.len() {
        Ok(tokens)
    } else {
        Err("`additional_special_tokens` has the same token twice".to_owned())
    }
}
