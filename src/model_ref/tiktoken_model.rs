//! OpenAI's encodings, by their names and by the models that use them (`model.py` and `openai_public.py` of tiktoken
//! 0.14).

use std::fmt;

/// The prefix of a reference.
pub(super) const PREFIX: &str = "tiktoken:";
/// The ending of the files of encodings.
pub const EXTENSION: &str = ".tiktoken";

/// A file that OpenAI publishes.
#[derive(Debug, PartialEq, Eq)]
pub struct PublishedFile {
    /// The address, as tiktoken spells it.
    pub address: &'static str,
    /// As hexadecimal digits.
    pub sha256: &'static str,
}

/// An encoding of OpenAI.
#[derive(Debug, PartialEq, Eq)]
pub struct Encoding {
    pub name: &'static str,
    pub file: &'static PublishedFile,
}

/// The list of merges of GPT-2, which gives its vocabulary.
pub static VOCAB_BPE: PublishedFile = PublishedFile {
    address: "https://openaipublic.blob.core.windows.net/gpt-2/encodings/main/vocab.bpe",
    sha256: "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
};
static R50K: PublishedFile = PublishedFile {
    address: "https://openaipublic.blob.core.windows.net/encodings/r50k_base.tiktoken",
    sha256: "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930",
};
static P50K: PublishedFile = PublishedFile {
    address: "https://openaipublic.blob.core.windows.net/encodings/p50k_base.tiktoken",
    sha256: "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069",
};
static CL100K: PublishedFile = PublishedFile {
    address: "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken",
    sha256: "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
};
static O200K: PublishedFile = PublishedFile {
    address: "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken",
    sha256: "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
};

/// The encodings. Of those with the same file, the first one is meant by the file alone.
pub static ENCODINGS: [Encoding; 7] = [
    encoding("gpt2", &VOCAB_BPE),
    encoding("r50k_base", &R50K),
    encoding("p50k_base", &P50K),
    encoding("p50k_edit", &P50K),
    encoding("cl100k_base", &CL100K),
    encoding("o200k_base", &O200K),
    encoding("o200k_harmony", &O200K),
];

const fn encoding(name: &'static str, file: &'static PublishedFile) -> Encoding {
    Encoding { name, file }
}

/// The models of each encoding.
const MODELS: &[(&str, &[&str])] = &[
    (
        "o200k_base",
        &["o1", "o3", "o4-mini", "gpt-5", "gpt-4.1", "gpt-4o"],
    ),
    (
        "cl100k_base",
        &[
            "gpt-4",
            "gpt-3.5-turbo",
            "gpt-3.5",
            "gpt-35-turbo",
            "davinci-002",
            "babbage-002",
            "text-embedding-ada-002",
            "text-embedding-3-small",
            "text-embedding-3-large",
        ],
    ),
    (
        "p50k_base",
        &[
            "text-davinci-003",
            "text-davinci-002",
            "code-davinci-002",
            "code-davinci-001",
            "code-cushman-002",
            "code-cushman-001",
            "davinci-codex",
            "cushman-codex",
        ],
    ),
    (
        "r50k_base",
        &[
            "text-davinci-001",
            "text-curie-001",
            "text-babbage-001",
            "text-ada-001",
            "davinci",
            "curie",
            "babbage",
            "ada",
            "text-similarity-davinci-001",
            "text-similarity-curie-001",
            "text-similarity-babbage-001",
            "text-similarity-ada-001",
            "text-search-davinci-doc-001",
            "text-search-curie-doc-001",
            "text-search-babbage-doc-001",
            "text-search-ada-doc-001",
            "code-search-babbage-code-001",
            "code-search-ada-code-001",
        ],
    ),
    (
        "p50k_edit",
        &["text-davinci-edit-001", "code-davinci-edit-001"],
    ),
    ("gpt2", &["gpt2", "gpt-2"]),
];

/// The beginnings of the names of models, tried in this order.
const PREFIXES: &[(&str, &str)] = &[
    ("o1-", "o200k_base"),
    ("o3-", "o200k_base"),
    ("o4-mini-", "o200k_base"),
    ("gpt-5", "o200k_base"),
    ("gpt-4.5-", "o200k_base"),
    ("gpt-4.1-", "o200k_base"),
    ("chatgpt-4o-", "o200k_base"),
    ("gpt-4o-", "o200k_base"),
    ("gpt-4-", "cl100k_base"),
    ("gpt-3.5-turbo-", "cl100k_base"),
    ("gpt-35-turbo-", "cl100k_base"),
    ("gpt-oss-", "o200k_harmony"),
    ("ft:gpt-4o", "o200k_base"),
    ("ft:gpt-4", "cl100k_base"),
    ("ft:gpt-3.5-turbo", "cl100k_base"),
    ("ft:davinci-002", "cl100k_base"),
    ("ft:babbage-002", "cl100k_base"),
];

impl Encoding {
    /// Returns the encoding with a name.
    pub fn find(name: &str) -> Option<&'static Self> {
        ENCODINGS.iter().find(|encoding| encoding.name == name)
    }

    /// Returns the encoding of a model, or the one with the name itself.
    fn of(name: &str) -> Option<&'static Self> {
        let models = MODELS.iter().find(|(_, models)| models.contains(&name));
        let by_prefix = || PREFIXES.iter().find(|(prefix, _)| name.starts_with(prefix));
        Self::find(name).or_else(|| match models {
            Some((encoding, _)) => Self::find(encoding),
            None => Self::find(by_prefix()?.1),
        })
    }

    /// Returns the name of the file within the model.
    pub fn file_name(&self) -> String {
        format!("{}{EXTENSION}", self.name)
    }
}

/// An encoding of OpenAI, named by itself or by a model that uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TiktokenModel {
    name: String,
    encoding: &'static Encoding,
}

impl TiktokenModel {
    /// Parses the part of a reference after `tiktoken:`.
    pub(super) fn parse(name: &str) -> Result<Self, String> {
        match Encoding::of(name) {
            Some(encoding) => Ok(Self {
                name: name.to_owned(),
                encoding,
            }),
            None => {
                let names = ENCODINGS.each_ref().map(|encoding| encoding.name);
                Err(format!(
                    "tiktoken 0.14 knows no such encoding or model; its encodings are {}",
                    names.join(", ")
                ))
            }
        }
    }

    pub fn encoding(&self) -> &'static Encoding {
        self.encoding
    }
}

impl fmt::Display for TiktokenModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_is_named_by_itself_a_model_or_the_beginning_of_a_model() {
        let name = |given: &str| TiktokenModel::parse(given).map(|model| model.encoding.name);
        for (given, encoding) in [
            ("gpt2", "gpt2"),
            ("gpt-2", "gpt2"),
            ("r50k_base", "r50k_base"),
            ("p50k_edit", "p50k_edit"),
            ("o200k_harmony", "o200k_harmony"),
            ("gpt-4o", "o200k_base"),
            ("gpt-4o-2024-05-13", "o200k_base"),
            ("gpt-4", "cl100k_base"),
            ("gpt-4-32k", "cl100k_base"),
            ("gpt-4.1-mini", "o200k_base"),
            ("gpt-5-mini", "o200k_base"),
            ("gpt-oss-20b", "o200k_harmony"),
            ("ft:gpt-4o:me", "o200k_base"),
            ("ft:gpt-4:me", "cl100k_base"),
            ("text-davinci-003", "p50k_base"),
            ("text-davinci-001", "r50k_base"),
        ] {
            assert_eq!(name(given), Ok(encoding), "{given}");
        }
        for given in ["", "gpt-9", "gpt-4o ", "GPT-4o", "o200k", "gpt-oss"] {
            let problem = name(given).unwrap_err();
            assert!(
                problem.contains("its encodings are gpt2, r50k_base"),
                "{problem}"
            );
        }
        for (encoding, models) in MODELS {
            for model in *models {
                assert_eq!(name(model), Ok(*encoding));
            }
        }
        assert!(
            PREFIXES
                .iter()
                .all(|(_, encoding)| Encoding::find(encoding).is_some())
        );
    }
}
