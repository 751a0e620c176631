//! The output of other tools for the tokens of a text, with their fields in their order. These contracts are theirs.

use serde::Serialize;

/// `BatchEncoding` of transformers 4.48.3, as `dict(tokenizer(text))` has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BatchEncoding {
    pub input_ids: Vec<u32>,
    /// Absent if `model_input_names` of the tokenizer does not list it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type_ids: Option<Vec<u32>>,
    pub attention_mask: Vec<u32>,
}

/// A token of text-embeddings-inference, which answers one text with a list of one list of tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SimpleToken {
    pub id: u32,
    /// The piece of a special token, or the part of the text that another token covers.
    pub text: String,
    pub special: bool,
    /// Byte offset; absent for special tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<usize>,
}

/// `TokenizeResponse` of vLLM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenizeResponse {
    pub count: usize,
    pub max_model_len: u64,
    pub tokens: Vec<u32>,
    pub token_strs: Vec<String>,
}

/// The answer of llama-server to a request `with_pieces`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LlamaTokens {
    pub tokens: Vec<LlamaToken>,
}

/// A token of llama-server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LlamaToken {
    pub id: u32,
    pub piece: LlamaPiece,
}

/// Text, or its bytes if it is not UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum LlamaPiece {
    Text(String),
    Bytes(Vec<u8>),
}

impl From<Vec<u8>> for LlamaPiece {
    fn from(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(error) => Self::Bytes(error.into_bytes()),
        }
    }
}
