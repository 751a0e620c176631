//! What other tools print for the tokens of a text, field by field in their order. These are their contracts, not ours.

use serde::Serialize;

/// `BatchEncoding` of transformers 4.48.3, as `dict(tokenizer(text))` has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BatchEncoding {
    pub input_ids: Vec<u32>,
    /// Absent for tokenizers whose `model_input_names` do not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type_ids: Option<Vec<u32>>,
    pub attention_mask: Vec<u32>,
}

/// A token of text-embeddings-inference; its answer to one text is a list of one list of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SimpleToken {
    pub id: u32,
    /// The piece of a special token; of another one, the part of the text it stands for.
    pub text: String,
    pub special: bool,
    /// In bytes; absent for special tokens.
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

/// A token of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LlamaToken {
    pub id: u32,
    pub piece: LlamaPiece,
}

/// Text, or the bytes of what is not UTF-8.
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
