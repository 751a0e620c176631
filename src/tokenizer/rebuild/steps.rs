//! The steps that a class builds, as a `tokenizer.json` has them.

use serde_json::{Value, json};

use super::kinds::{Bert, Build, Class, Decode, Normalize, Prepend, Strip, Words};
use crate::formats::class_settings::ClassSettings;
use crate::formats::setting::Setting;
use crate::tokenizer::conversion::steps::{
    byte_level, decoders, metaspace, normalizers, plain, pre_tokenizers, precompiled, replace,
    replace_all, split,
};

/// The pattern of CLIP.
const CLIP_WORDS: &str =
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";
/// The pattern of Nougat, which stands for itself and not for a regular expression.
const NOUGAT_MARKS: &str = r##"[\(\)\[\]\{\}]|([!\"#\$%\&'\*\+,\-\./:;<=>\?\\\^_`\|\~])\1*"##;

/// What the steps of a class depend on.
pub struct Source<'a> {
    pub class: &'a Class,
    pub settings: &'a ClassSettings,
    /// The character map of the files.
    pub charsmap: Option<&'a [u8]>,
}

/// The steps around a model, without the post-processor.
pub struct Steps {
    pub normalizer: Value,
    pub pre_tokenizer: Value,
    pub decoder: Value,
}

impl Source<'_> {
    /// Builds the steps.
    ///
    /// # Errors
    /// Fails with a sentence about a setting that the class refuses.
    pub fn build(&self, build: &Build) -> Result<Steps, String> {
        let mut steps = Vec::new();
        self.normalize(build.normalizer, &mut steps)?;
        let normalizer = match steps.len() {
            0 => Value::Null,
            1 => steps.remove(0),
            _ => normalizers(steps),
        };
        Ok(Steps {
            normalizer,
            pre_tokenizer: self.words(build.words)?,
            decoder: self.decoder(build)?,
        })
    }

    fn normalize(&self, steps: &[Normalize], into: &mut Vec<Value>) -> Result<(), String> {
        let settings = self.settings;
        for step in steps {
            match *step {
                Normalize::Regex(pattern, content) => into.push(replace_all(pattern, content)),
                Normalize::Text(text, content) => into.push(replace(text, content)),
                Normalize::Plain(kind) => into.push(plain(kind)),
                Normalize::StripRight => {
                    into.push(json!({"type": "Strip", "strip_left": false, "strip_right": true}))
                }
                Normalize::LowercaseIf(default) if settings.do_lower_case.truth_or(default) => {
                    into.push(plain("Lowercase"));
                }
                Normalize::NoAccentsUnless(default) if !settings.keep_accents.truth_or(default) => {
                    into.extend([plain("NFKD"), plain("StripAccents")]);
                }
                Normalize::LowercaseIf(_) | Normalize::NoAccentsUnless(_) => {}
                Normalize::Charsmap => into.extend(self.charsmap.map(precompiled)),
                Normalize::IfCharsmap(with, without) => {
                    let steps = if self.charsmap.is_some() {
                        with
                    } else {
                        without
                    };
                    self.normalize(steps, into)?;
                }
                Normalize::Bert(bert) => into.push(self.bert(bert)?),
            }
        }
        Ok(())
    }

    fn bert(&self, bert: Bert) -> Result<Value, String> {
        let settings = self.settings;
        let built = |clean: bool, chinese: bool, accents: Value, lowercase: bool| {
            json!({
                "type": "BertNormalizer",
                "clean_text": clean,
                "handle_chinese_chars": chinese,
                "strip_accents": accents,
                "lowercase": lowercase,
            })
        };
        match bert {
            Bert::OpenAi => return Ok(built(true, true, Value::Null, true)),
            Bert::Herbert => return Ok(built(true, true, json!(false), false)),
            Bert::All | Bert::LowerCase | Bert::Funnel => {}
        }
        let chinese = flag(
            "tokenize_chinese_chars",
            &settings.tokenize_chinese_chars,
            true,
        )?;
        let accents = match &settings.strip_accents {
            Setting::Absent | Setting::Null => Value::Null,
            given => json!(flag("strip_accents", given, false)?),
        };
        let lowercase = match bert {
            Bert::LowerCase => true,
            _ => flag("do_lower_case", &settings.do_lower_case, true)?,
        };
        let clean = match bert {
            Bert::Funnel => flag("clean_text", &settings.clean_text, true)?,
            _ => true,
        };
        Ok(built(clean, chinese, accents, lowercase))
    }

    /// Returns true if a space is put before a text.
    fn prefix_space(&self) -> bool {
        let setting = &self.settings.add_prefix_space;
        match (setting, self.class.build.map(|build| build.decoder)) {
            // The classes of Llama take `None` for their own default.
            (Setting::Null, Some(Decode::Bytes(_))) => true,
            (setting, _) => setting.truth_or(self.class.prefix_space),
        }
    }

    fn scheme(&self, prepend: Prepend) -> &'static str {
        let adds = self.prefix_space();
        match prepend {
            Prepend::Always => "always",
            Prepend::First => "first",
            Prepend::AlwaysOrFirst => ["first", "always"][usize::from(adds)],
            Prepend::AlwaysOrNever => ["never", "always"][usize::from(adds)],
            Prepend::FirstOrNever => ["never", "first"][usize::from(adds)],
            Prepend::Legacy if !adds => "never",
            Prepend::Legacy if self.settings.legacy.truth_or(false) => "always",
            Prepend::Legacy => "first",
        }
    }

    fn words(&self, words: Words) -> Result<Value, String> {
        let prefix_space = || {
            let setting = &self.settings.add_prefix_space;
            flag("add_prefix_space", setting, self.class.prefix_space)
        };
        Ok(match words {
            Words::Metaspace {
                white_space,
                prepend,
                split,
            } => {
                let metaspace = metaspace(self.scheme(prepend), split);
                match white_space {
                    true => pre_tokenizers(&[plain("WhitespaceSplit"), metaspace]),
                    false => metaspace,
                }
            }
            Words::DebertaV2 => {
                let metaspace = metaspace(self.scheme(Prepend::AlwaysOrFirst), true);
                match self.settings.split_by_punct.truth_or(false) {
                    true => pre_tokenizers(&[
                        json!({"type": "Punctuation", "behavior": "Isolated"}),
                        metaspace,
                    ]),
                    false => pre_tokenizers(&[metaspace]),
                }
            }
            Words::ByteLevel => byte_level(prefix_space()?, true, true),
            Words::ByteLevelTrimmed => {
                let trims = flag("trim_offsets", &self.settings.trim_offsets, true)?;
                byte_level(prefix_space()?, trims, true)
            }
            Words::Bert => plain("BertPreTokenizer"),
            Words::Gemma => text_split(" ", "MergedWithPrevious"),
            Words::Clip => pre_tokenizers(&[
                split(CLIP_WORDS, "Removed", true),
                byte_level(false, true, true),
            ]),
            Words::Cohere => pre_tokenizers(&[
                json!({"type": "Digits", "individual_digits": true}),
                byte_level(prefix_space()?, true, true),
            ]),
            Words::Pattern(pattern) => {
                let prefix_space = match &self.settings.add_prefix_space {
                    Setting::Null => false,
                    _ => prefix_space()?,
                };
                pre_tokenizers(&[
                    split(pattern, "Isolated", false),
                    byte_level(prefix_space, true, false),
                ])
            }
            Words::Nougat => pre_tokenizers(&[
                text_split("SPL1T-TH1S-Pl3A5E", "Removed"),
                json!({"type": "Digits", "individual_digits": true}),
                text_split(NOUGAT_MARKS, "Isolated"),
                text_split("\n", "Isolated"),
                byte_level(false, true, true),
            ]),
            Words::Jieba => {
                let problem = "the class splits words with the dictionary of jieba, which tokscope does not have";
                return Err(problem.to_owned());
            }
        })
    }

    fn decoder(&self, build: &Build) -> Result<Value, String> {
        let bytes = |strip: bool| {
            let mut steps = vec![replace("▁", " "), plain("ByteFallback"), plain("Fuse")];
            if strip {
                steps.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
            }
            decoders(steps)
        };
        Ok(match build.decoder {
            Decode::Metaspace => {
                let prepend = match build.words {
                    Words::Metaspace { prepend, .. } => prepend,
                    _ => Prepend::AlwaysOrFirst,
                };
                metaspace(self.scheme(prepend), true)
            }
            Decode::ByteLevel => byte_level(true, true, true),
            Decode::WordPiece => {
                let prefix = match &self.settings.wordpieces_prefix {
                    Setting::Text(prefix) if self.takes_prefix(build) => prefix,
                    _ => "##",
                };
                json!({"type": "WordPiece", "prefix": prefix, "cleanup": true})
            }
            Decode::Suffix(suffix) => json!({"type": "BPEDecoder", "suffix": suffix}),
            Decode::Bytes(Strip::Always) => bytes(true),
            Decode::Bytes(Strip::Never) => bytes(false),
            Decode::Bytes(Strip::IfPrefixSpace) => bytes(self.prefix_space()),
            Decode::MetaspaceBytes => decoders(vec![
                metaspace("always", true),
                plain("ByteFallback"),
                plain("Fuse"),
            ]),
        })
    }

    fn takes_prefix(&self, build: &Build) -> bool {
        matches!(build.normalizer, [Normalize::Bert(Bert::Funnel)])
    }
}

fn text_split(text: &str, behavior: &str) -> Value {
    json!({"type": "Split", "pattern": {"String": text}, "behavior": behavior, "invert": false})
}

/// Returns a setting that must be true or false.
///
/// # Errors
/// Fails with a sentence if it is neither.
pub fn flag(name: &str, setting: &Setting, default: bool) -> Result<bool, String> {
    let setting = setting.or(default.into());
    let flag = setting.flag();
    flag.ok_or_else(|| format!("`{name}` must be true or false, not {setting}"))
}
