//! The post-processor of Whisper, which begins with the start of a transcript, its language, its task, and whether it has
//! timestamps (`prefix_tokens` of `WhisperTokenizer`).

use serde_json::Value;

use super::source::Source;
use super::template;
use crate::error::{Error, Result};
use crate::formats::setting::Setting;

const START: &str = "<|startoftranscript|>";
/// The token of a language whose id has no piece.
const NO_PIECE: &str = "None";

/// The code of each language and its names. The token of the first language follows the one of the start, and so on.
#[rustfmt::skip]
const LANGUAGES: [(&str, &str); 100] = [
    ("en", "english"), ("zh", "chinese,mandarin"), ("de", "german"), ("es", "spanish,castilian"), ("ru", "russian"),
    ("ko", "korean"), ("fr", "french"), ("ja", "japanese"), ("pt", "portuguese"), ("tr", "turkish"), ("pl", "polish"),
    ("ca", "catalan,valencian"), ("nl", "dutch,flemish"), ("ar", "arabic"), ("sv", "swedish"), ("it", "italian"),
    ("id", "indonesian"), ("hi", "hindi"), ("fi", "finnish"), ("vi", "vietnamese"), ("he", "hebrew"),
    ("uk", "ukrainian"), ("el", "greek"), ("ms", "malay"), ("cs", "czech"), ("ro", "romanian,moldavian,moldovan"),
    ("da", "danish"), ("hu", "hungarian"), ("ta", "tamil"), ("no", "norwegian"), ("th", "thai"), ("ur", "urdu"),
    ("hr", "croatian"), ("bg", "bulgarian"), ("lt", "lithuanian"), ("la", "latin"), ("mi", "maori"),
    ("ml", "malayalam"), ("cy", "welsh"), ("sk", "slovak"), ("te", "telugu"), ("fa", "persian"), ("lv", "latvian"),
    ("bn", "bengali"), ("sr", "serbian"), ("az", "azerbaijani"), ("sl", "slovenian"), ("kn", "kannada"),
    ("et", "estonian"), ("mk", "macedonian"), ("br", "breton"), ("eu", "basque"), ("is", "icelandic"),
    ("hy", "armenian"), ("ne", "nepali"), ("mn", "mongolian"), ("bs", "bosnian"), ("kk", "kazakh"),
    ("sq", "albanian"), ("sw", "swahili"), ("gl", "galician"), ("mr", "marathi"), ("pa", "punjabi,panjabi"),
    ("si", "sinhala,sinhalese"), ("km", "khmer"), ("sn", "shona"), ("yo", "yoruba"), ("so", "somali"),
    ("af", "afrikaans"), ("oc", "occitan"), ("ka", "georgian"), ("be", "belarusian"), ("tg", "tajik"),
    ("sd", "sindhi"), ("gu", "gujarati"), ("am", "amharic"), ("yi", "yiddish"), ("lo", "lao"), ("uz", "uzbek"),
    ("fo", "faroese"), ("ht", "haitian creole,haitian"), ("ps", "pashto,pushto"), ("tk", "turkmen"),
    ("nn", "nynorsk"), ("mt", "maltese"), ("sa", "sanskrit"), ("lb", "luxembourgish,letzeburgesch"),
    ("my", "myanmar,burmese"), ("bo", "tibetan"), ("tl", "tagalog"), ("mg", "malagasy"), ("as", "assamese"),
    ("tt", "tatar"), ("haw", "hawaiian"), ("ln", "lingala"), ("ha", "hausa"), ("ba", "bashkir"), ("jw", "javanese"),
    ("su", "sundanese"), ("yue", "cantonese"),
];

/// Builds the post-processor, given a look-up of the piece of an id.
///
/// # Errors
/// Fails with [`Error::Unsupported`] for a language or a task that the reference does not know.
pub fn post_processor<'p>(
    source: &Source<'_>,
    piece: &dyn Fn(u32) -> Option<&'p str>,
) -> Result<Value> {
    let settings = source.settings;
    let mut prefix = vec![source.known_or_unknown(START).to_owned()];
    let mut stated = Vec::new();
    if let Some(index) = language(source)? {
        let id = source.id(START)?.saturating_add(1 + index);
        let token = source.ids.added_token(id).or_else(|| piece(id));
        let token = token.unwrap_or(NO_PIECE);
        stated.push((token, id));
        prefix.push(token.to_owned());
    }
    match settings.task.text() {
        None => {}
        Some(task @ ("transcribe" | "translate")) => {
            let token = format!("<|{task}|>");
            prefix.push(source.known_or_unknown(&token).to_owned());
        }
        Some(other) => {
            let problem = format!(
                "`task` in tokenizer_config.json is {other:?}, not transcribe or translate"
            );
            return Err(Error::unsupported(source.name, problem));
        }
    }
    if !settings.predict_timestamps.truth_or(false) {
        prefix.push(source.known_or_unknown("<|notimestamps|>").to_owned());
    }
    let prefix: Vec<String> = prefix.iter().map(|token| format!("{token}:0")).collect();
    let prefix = prefix.join(" ");
    let pair = format!("{prefix} $A:0 $B:1 {{eos}}:1");
    let single = format!("{prefix} $A:0 {{eos}}:0");
    template::build_with((&single, Some(&pair), None), &stated, source)
}

/// Returns the index of the language that the settings name, by its code or one of its names.
fn language(source: &Source<'_>) -> Result<Option<u32>> {
    let setting = &source.settings.language;
    if setting.is_none() {
        return Ok(None);
    }
    let index = setting
        .text()
        .and_then(|text| index_of(&text.to_lowercase()));
    let unknown = |setting: &Setting| {
        let problem = format!(
            "`language` in tokenizer_config.json is {setting}, which is not a language of Whisper"
        );
        Error::unsupported(source.name, problem)
            .with_hint("name the language in English, as in `spanish`, or by its code, as in `es`")
    };
    index.map_or_else(|| Err(unknown(setting)), |index| Ok(Some(index)))
}

fn index_of(language: &str) -> Option<u32> {
    let is_named = |(code, names): &(&str, &str)| {
        *code == language || names.split(',').any(|name| name == language)
    };
    let index = LANGUAGES.iter().position(is_named)?;
    u32::try_from(index).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_found_by_its_code_and_by_each_of_its_names() {
        for (language, index) in [
            ("en", Some(0)),
            ("english", Some(0)),
            ("castilian", Some(3)),
            ("haitian creole", Some(80)),
            ("yue", Some(99)),
            ("xx", None),
            ("", None),
            ("spanish,castilian", None),
        ] {
            assert_eq!(index_of(language), index, "{language}");
        }
    }
}
