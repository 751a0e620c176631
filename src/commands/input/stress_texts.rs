//! Texts on which tokenizers tend to differ: built-in ones, and texts from the user's files.

use std::path::PathBuf;

use clap::Args;

use super::text_args::{InputArgs, InputWays, TextArgs};
use super::text_format::InputFormat;
use crate::commands::session::Session;
use crate::error::Result;

/// Texts on which supposedly equal tokenizers have been seen to differ, each for a different reason.
pub const STRESS_TEXTS: &[&str] = &[
    "",
    " ",
    "\n",
    "\t\r\n",
    "banco de madera, banco donde hay dinero",
    "The quick brown fox jumps over the lazy dog.",
    "THE QUICK BROWN FOX",
    "antidisestablishmentarianism electroencephalographically",
    "  leading, inner   and trailing spaces  ",
    "no\u{a0}break\u{2009}thin\u{3000}ideographic spaces",
    "line one\nline two\r\nline three\rline four\n\n\nline five",
    "tabs\tand\u{b}vertical\u{c}feeds",
    "a.b,c;d:e!f?g(h)i[j]k{l}m\"n'o`p",
    "don't can't won't it's he'll we've I'd",
    "“curly” ‘quotes’ — em–dash… ellipsis",
    "1 12 123 1234 12345 1,234.56 -7 3.14e-10 0x1F 1/2 ½ ² ³",
    "user@example.com https://example.com/a/b?c=d&e=%20#f",
    "snake_case camelCase kebab-case SCREAMING_CASE __init__",
    "fn main() { println!(\"{}\", x + 1); } // comment",
    "<p class=\"a\">&amp; &lt;</p>",
    "{\"key\": [1, 2.5, null, true]}",
    "C:\\Users\\name\\file.txt /usr/local/bin",
    "¿Dónde está el banco? ¡Aquí! El niño comió piñón, pingüino.",
    "Ça va très bien, où es-tu ? L’été, cœur, Œuvre",
    "Straße, Größe, Füße, ẞ",
    "İstanbul ı I i İ",
    "naïve cafe\u{301} re\u{301}sume\u{301} A\u{302}\u{300} Å Å",
    "ﬁ ﬂ ﬃ Ⅷ ㎏ ™ ℡ ① ｆｕｌｌｗｉｄｔｈ",
    "Привет, мир! Съешь ещё этих мягких французских булок",
    "Καλημέρα κόσμε, ΐ ῶ",
    "שלום עולם",
    "مرحبا بالعالم ﷺ",
    "नमस्ते दुनिया क्षत्रिय",
    "สวัสดีชาวโลก",
    "你好，世界。我在银行。",
    "日本語のテキスト、カタカナ ｶﾀｶﾅ がぎぐげご か\u{3099}",
    "안녕하세요 세계 \u{1112}\u{1161}\u{11ab}",
    "𝕳𝖊𝖑𝖑𝖔 𝒲𝑜𝓇𝓁𝒹 🅰🅱",
    "🙂",
    "🙂🙃😀 emoji 👍🏽 and 👩‍👩‍👧‍👦 families",
    "flags 🇪🇸🇲🇽🇦🇷 and keycaps 1️⃣2️⃣",
    "zero\u{200b}width\u{200c}marks\u{200d}and\u{2060}joiners\u{feff}",
    "\u{200b}x\u{200b}",
    "soft\u{ad}hyphen right\u{202e}to\u{202c}left",
    "controls \u{0}\u{1}\u{7}\u{1b}[31m\u{7f}\u{85}",
    "\u{0}",
    "private \u{e000}\u{f8ff} and unassigned \u{378}\u{fffe}",
    "Z\u{351}\u{36b}\u{343}\u{36a}\u{302}a\u{349}\u{34e}\u{31f}l\u{316}\u{345}g\u{322}\u{32f}o\u{330}\u{333}",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "................................................................",
    "________________________________",
    "▁ ▁▁ ▁a a▁b",
    "<0x00> <0x41> <0xE2><0x96><0x81>",
    "[CLS] banco [SEP]",
    "[MASK] [mask] [MASK].x[MASK]",
    "[UNK] [PAD] [unk] a[UNK]b",
    "<s> </s> <pad> <unk> <mask> <|endoftext|> <extra_id_0>",
    "[ MASK ] [MASK",
    "word[MASK]word [SEP][SEP]",
    "e\u{0301}\u{0301} o\u{0308}\u{0304} \u{0301}",
    "x\u{fe0f} ☺\u{fe0e} ☺\u{fe0f}",
];

/// Pairs of texts, to test how a template joins them.
pub const STRESS_PAIRS: &[(&str, &str)] = &[
    ("banco de madera", "banco donde hay dinero"),
    ("", "only the second"),
    ("only the first", ""),
    ("[MASK] 🙂", " \u{200b}"),
];

/// `--texts`, for commands that compare encodings of the built-in texts.
#[derive(Debug, Clone, Default, Args)]
pub struct ExtraTexts {
    /// Also use each line of a file, or the field `text` of each line of a .jsonl file (repeatable)
    #[arg(long = "texts", value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

impl ExtraTexts {
    /// Reads the texts of all files.
    ///
    /// # Errors
    /// Fails at the first file that cannot be read, or the first line that does not hold a text.
    pub fn read(&self, session: &mut Session) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        for file in &self.files {
            let jsonl = file
                .extension()
                .is_some_and(|extension| extension == "jsonl");
            let format = InputFormat {
                lines: !jsonl,
                jsonl,
                field: "text".to_owned(),
                ..InputFormat::default()
            };
            let input = TextArgs {
                texts: Vec::new(),
                input: InputArgs {
                    files: vec![file.clone()],
                    format,
                },
                ways: InputWays::Path,
                are_found: false,
            };
            let before = texts.len();
            input.for_each(session, |_, item| {
                let text = item.map_err(|bad| bad.error)?.text;
                texts.push(text.into_owned());
                Ok(())
            })?;
            if texts.len() == before {
                session.note(&format!("found no texts in {}", file.display()))?;
            }
        }
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_stress_text_is_repeated() {
        let different: HashSet<_> = STRESS_TEXTS.iter().collect();
        assert_eq!(different.len(), STRESS_TEXTS.len());
        assert!(STRESS_TEXTS.len() > 50);
    }
}
