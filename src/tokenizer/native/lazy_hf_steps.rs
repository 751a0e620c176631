//! Steps of the `tokenizers` crate that are only built for a text that needs them.

use std::sync::OnceLock;

use serde_json::Value;

use super::hf_steps::HfSteps;
use crate::formats::config::AddedTokenConfig;

/// The steps of a `tokenizer.json`, built on the first use. With thousands of added tokens, that takes long.
#[derive(Debug)]
pub struct LazyHfSteps {
    normalizer: Value,
    pre_tokenizer: Value,
    added: Vec<(AddedTokenConfig, u32)>,
    steps: OnceLock<Option<HfSteps>>,
}

impl LazyHfSteps {
    pub fn new(
        normalizer: &Value,
        pre_tokenizer: &Value,
        added: &[(AddedTokenConfig, u32)],
    ) -> Self {
        Self {
            normalizer: normalizer.clone(),
            pre_tokenizer: pre_tokenizer.clone(),
            added: added.to_vec(),
            steps: OnceLock::new(),
        }
    }

    /// Returns the steps. Returns `None` if the crate refuses one of them.
    pub fn get(&self) -> Option<&HfSteps> {
        let build = || HfSteps::new(&self.normalizer, &self.pre_tokenizer, &self.added);
        self.steps.get_or_init(build).as_ref()
    }
}
