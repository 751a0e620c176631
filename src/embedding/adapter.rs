//! Adapters of PEFT: the changes to a base model, which may include its word-embedding matrix.

use std::sync::Arc;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::formats::checkpoint::Checkpoint;
use crate::formats::json::parse_python;
use crate::formats::quote::quote;
use crate::source::{ByteSource, ModelFiles};

/// The names of adapters, in search order.
pub const ADAPTERS: [&str; 2] = ["adapter_model.safetensors", "adapter_model.bin"];
const CONFIG: &str = "adapter_config.json";

/// Parts of the names of tensors that change some rows of the matrix, or all of them, and how they do it.
const CHANGES: [(&str, &str); 2] = [
    ("trainable_tokens_delta", "trainable tokens"),
    ("lora_embedding_", "LoRA"),
];

/// Finds the adapter among the files of a model. Returns its name and the file.
///
/// # Errors
/// Returns the errors of finding files.
pub fn find(files: &ModelFiles) -> Result<Option<(&'static str, Arc<dyn ByteSource>)>> {
    for name in ADAPTERS {
        if let Some(file) = files.find_ranged(name)? {
            return Ok(Some((name, file)));
        }
    }
    Ok(None)
}

/// Returns the error for an adapter without a matrix. It names the base model.
///
/// # Errors
/// Fails if a file cannot be read.
pub fn no_matrix(files: &ModelFiles, file: &dyn ByteSource) -> Result<Error> {
    #[derive(Deserialize)]
    struct Config {
        base_model_name_or_path: Option<String>,
    }
    let config = match files.find(CONFIG)? {
        Some(file) => Some(parse_python::<Config>(file.name(), &file.read_all()?)?),
        None => None,
    };
    let base = config.and_then(|config| config.base_model_name_or_path);
    let checkpoint = Checkpoint::open(file)?;
    let change = checkpoint.tensors.iter().find_map(|tensor| {
        let (_, method) = CHANGES
            .iter()
            .find(|(part, _)| tensor.name.contains(part))?;
        Some((tensor.name.as_str(), *method))
    });
    let of = base
        .as_deref()
        .map_or_else(String::new, |base| format!(" of {}", quote(base)));
    let problem = match change {
        Some((tensor, method)) => format!(
            "it is an adapter{of} that changes the word-embedding matrix by {method} ({}), which is not applied",
            quote(tensor)
        ),
        None => format!("it is an adapter{of} without a word-embedding matrix of its own"),
    };
    let error = Error::unsupported(file.name(), problem);
    Ok(match (base, change) {
        (Some(base), None) => error.with_hint(format!(
            "its rows are those of the base model: use `--model {base}`"
        )),
        (_, Some(_)) => error.with_hint(
            "merge it into the base model with `merge_and_unload` of peft, and name the result",
        ),
        (None, None) => error.with_hint(format!("name its base model, which {CONFIG} should give")),
    })
}
