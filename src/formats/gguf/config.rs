//! The sizes of a model in the metadata.

use super::header::Gguf;
use crate::error::Result;
use crate::formats::context_window::ContextWindow;
use crate::formats::model_config::ModelConfig;
use crate::source::ByteSource;

impl Gguf {
    /// Returns the sizes that `file`, the file with this header, declares. `name` is its name within the model.
    ///
    /// # Errors
    /// Returns the error of reading the file.
    pub fn config(&self, file: &dyn ByteSource, name: &str) -> Result<ModelConfig> {
        let architecture = self.text(file, "general.architecture")?;
        let key = |key| format!("{}.{key}", architecture.as_deref().unwrap_or_default());
        let context_length = key("context_length");
        let context = self.size(&context_length).filter(|tokens| *tokens > 0);
        let pieces = self.array_length("tokenizer.ggml.tokens");
        Ok(ModelConfig {
            vocab_size: pieces.or_else(|| self.size(&key("vocab_size"))),
            hidden_size: self.size(&key("embedding_length")),
            max_position_embeddings: context,
            context_window: context
                .map(|tokens| ContextWindow::new(tokens, name.to_owned(), &context_length)),
            pad_token_id: self.size("tokenizer.ggml.padding_token_id"),
            quantization: self.quantization().map(str::to_owned),
            file: Some(name.to_owned()),
            model_type: architecture,
            ..ModelConfig::default()
        })
    }
}
