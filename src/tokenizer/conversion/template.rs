//! Post-processors that put special tokens around a text.

use serde_json::Value;
use tokenizers::processors::PostProcessorWrapper;
use tokenizers::processors::template::TemplateProcessing;

use super::source::Source;
use crate::error::{Error, Result};

/// A template. `{cls}` stands for the `cls_token` of the model, and so on.
#[derive(Debug)]
pub struct Template {
    pub single: &'static str,
    /// `None` for the default of the `tokenizers` crate.
    pub pair: Option<&'static str>,
    /// A token that it lists, though there is no place for it.
    pub unused: Option<&'static str>,
}

impl Template {
    /// Builds the post-processor.
    ///
    /// # Errors
    /// Fails like [`build`].
    pub fn build(&self, source: &Source<'_>) -> Result<Value> {
        build(self.single, self.pair, self.unused, source)
    }
}

/// Builds a post-processor.
///
/// # Errors
/// Fails with [`Error::Unsupported`] if the model does not have a token.
pub fn build(
    single: &str,
    pair: Option<&str>,
    unused: Option<&str>,
    source: &Source<'_>,
) -> Result<Value> {
    build_with((single, pair, unused), &[], source)
}

/// Builds a post-processor of a template for a text, one for a pair, and an unused token. `stated` has the ids of tokens
/// that the vocabulary need not have.
///
/// # Errors
/// Fails like [`build`].
pub fn build_with(
    (single, pair, unused): (&str, Option<&str>, Option<&str>),
    stated: &[(&str, u32)],
    source: &Source<'_>,
) -> Result<Value> {
    let refused = |problem: String| Error::unsupported(source.name, problem);
    let mut special: Vec<(String, u32)> = Vec::new();
    let mut parts = |template: &str| -> Result<Vec<String>> {
        let parts = template.split(' ').map(|part| {
            if part.starts_with('$') {
                return Ok(part.to_owned());
            }
            let (token, type_id) = part.rsplit_once(':').unwrap_or((part, "0"));
            let token = source.token(token)?;
            if !special.iter().any(|(known, _)| known == token) {
                let stated = stated.iter().find(|(stated, _)| *stated == token);
                let id = stated.map_or_else(|| source.id(token), |(_, id)| Ok(*id))?;
                special.push((token.to_owned(), id));
            }
            Ok(format!("{token}:{type_id}"))
        });
        parts.collect()
    };
    let single = parts(single)?;
    let pair = pair.map(&mut parts).transpose()?;
    unused.map(parts).transpose()?;
    let mut builder = TemplateProcessing::builder();
    builder.try_single(single).map_err(refused)?;
    if let Some(pair) = pair {
        builder.try_pair(pair).map_err(refused)?;
    }
    let template = builder.special_tokens(special).build();
    let template = template.map_err(|problem| refused(problem.to_string()))?;
    serde_json::to_value(PostProcessorWrapper::from(template))
        .map_err(|problem| refused(problem.to_string()))
}
