use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use regex::Regex;
use tokenizers::pre_tokenizers::punctuation::Punctuation;
use tokenizers::utils::SysRegex;
use tokenizers::{
    OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, SplitDelimiterBehavior,
};

use super::super::kind_runs as sets;
use super::*;

/// The source of the characters with a property.
enum Class {
    /// A class of Oniguruma, which the crate compiles patterns with.
    Pattern(&'static str),
    /// The word characters of the crate's `Whitespace`, a class of the `regex` crate.
    Word,
    /// The characters that the crate's `Punctuation` splits off.
    Punctuation,
}

struct Property {
    name: &'static str,
    about: &'static str,
    class: Class,
    set: KindSet,
}

fn properties() -> Vec<Property> {
    let property = |name, about, class, set| Property {
        name,
        about,
        class,
        set,
    };
    let pattern = |name, about, class, set| property(name, about, Class::Pattern(class), set);
    vec![
        pattern(
            "upper",
            r"Upper-case and title-case letters, `[\p{Lu}\p{Lt}]`.",
            r"[\p{Lu}\p{Lt}]",
            sets::UPPER,
        ),
        pattern(
            "lower",
            r"Lower-case letters, `\p{Ll}`.",
            r"\p{Ll}",
            sets::LOWER,
        ),
        pattern(
            "uncased",
            r"Letters without case, `[\p{Lm}\p{Lo}]`.",
            r"[\p{Lm}\p{Lo}]",
            sets::UNCASED,
        ),
        pattern("mark", r"Marks, `\p{M}`.", r"\p{M}", sets::MARK),
        pattern("number", r"Numbers, `\p{N}`.", r"\p{N}", sets::NUMBER),
        pattern(
            "punctuation",
            r"Punctuation, `\p{P}`.",
            r"\p{P}",
            sets::PUNCTUATION,
        ),
        pattern("symbol", r"Symbols, `\p{S}`.", r"\p{S}", sets::SYMBOL),
        pattern("white", r"White space, `\s`.", r"\s", sets::WHITE),
        pattern(
            "line_break",
            r"Carriage return and line feed.",
            r"[\r\n]",
            sets::LINE_BREAK,
        ),
        pattern("blank", "The space.", " ", sets::BLANK),
        pattern("han", r"Ideographs, `\p{Han}`.", r"\p{Han}", sets::HAN),
        pattern(
            "kana_or_han",
            "Kana and the ideographs of Unicode 1, as in the patterns of DeepSeek.",
            "[一-龥぀-ゟ゠-ヿ]",
            sets::KANA_OR_HAN,
        ),
        pattern(
            "bloom_break",
            "The characters that end a word of BLOOM.",
            r"[(\s|[.,!?…。，、।۔،])]",
            sets::BLOOM_BREAK,
        ),
        property(
            "word",
            r"Word characters of the `regex` crate, `\w`.",
            Class::Word,
            sets::WORD,
        ),
        property(
            "split_punctuation",
            "The characters that `Punctuation` splits off.",
            Class::Punctuation,
            sets::SPLIT_PUNCTUATION,
        ),
    ]
}

/// Returns all characters in order as one text, and the character at each byte.
fn all_characters() -> String {
    ('\0'..=char::MAX).collect()
}

/// Returns the ranges of the characters with a property, in bytes of `text`.
fn members(class: &Class, text: &str) -> Vec<(usize, usize)> {
    match class {
        Class::Pattern(pattern) => {
            let pattern = SysRegex::new(pattern).unwrap();
            pattern.find_iter(text).collect()
        }
        Class::Word => {
            let pattern = Regex::new(r"\w").unwrap();
            pattern
                .find_iter(text)
                .map(|found| (found.start(), found.end()))
                .collect()
        }
        Class::Punctuation => {
            // The splits that are kept are the others.
            let mut split = PreTokenizedString::from(text);
            let step = Punctuation::new(SplitDelimiterBehavior::Removed);
            step.pre_tokenize(&mut split).unwrap();
            let kept = split.get_splits(OffsetReferential::Original, OffsetType::Byte);
            let mut last = 0;
            let mut removed = Vec::new();
            for (_, (start, end), _) in kept {
                removed.push((last, start));
                last = end;
            }
            removed.push((last, text.len()));
            removed
        }
    }
}

/// Returns the bits of the properties of each character.
fn bits_of_all_characters() -> Vec<u32> {
    let text = all_characters();
    let mut bits = vec![0; 0x11_0000];
    for (index, property) in properties().iter().enumerate() {
        for (start, end) in members(&property.class, &text) {
            for character in text[start..end].chars() {
                bits[character as usize] |= 1 << index;
            }
        }
    }
    bits
}

/// Returns the source of `kind_runs.rs`.
fn source(bits: &[u32]) -> String {
    let mut kinds: BTreeMap<u32, usize> = BTreeMap::new();
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (character, bits) in bits.iter().enumerate() {
        let number = kinds.len();
        let kind = *kinds.entry(*bits).or_insert(number);
        match runs.last_mut() {
            // A surrogate is no character and never looked up.
            Some((length, last)) if *last == kind || (0xd800..0xe000).contains(&character) => {
                *length += 1;
            }
            _ => runs.push((1, kind)),
        }
    }
    assert!(kinds.len() <= KindSet::BITS as usize);
    let mut source = "//! The kinds of all characters, generated from the classes that the `tokenizers` crate uses.\n//!\n\
        //! `TOKSCOPE_BLESS=1 cargo test --lib kinds::tests` writes this file.\n\n/// A set of kinds, one bit each.\npub type KindSet = u64;\n"
        .to_owned();
    for (index, Property { name, about, .. }) in properties().iter().enumerate() {
        let name = name.to_uppercase();
        let with = kinds.iter().filter(|(bits, _)| *bits >> index & 1 == 1);
        let set: KindSet = with.map(|(_, kind)| 1 << kind).sum();
        write!(
            source,
            "\n/// {about}\npub const {name}: KindSet = {set:#x};\n"
        )
        .unwrap();
    }
    source += "\n/// The length of each run of characters of one kind, and in the lowest byte the kind.\n\
               #[rustfmt::skip]\n";
    writeln!(source, "pub const RUNS: [u32; {}] = [", runs.len()).unwrap();
    for line in runs.chunks(14) {
        let line = line
            .iter()
            .map(|(length, kind)| format!("{:#x}", length << 8 | kind));
        writeln!(source, "    {},", line.collect::<Vec<_>>().join(", ")).unwrap();
    }
    source + "];\n"
}

/// `TOKSCOPE_BLESS=1` writes the table anew.
#[test]
fn the_kinds_of_all_characters_are_those_of_the_crate() {
    let bits = bits_of_all_characters();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tokenizer/native/scan/kind_runs.rs");
    if std::env::var_os("TOKSCOPE_BLESS").is_some() {
        std::fs::write(&path, source(&bits)).unwrap();
        return;
    }
    let properties = properties();
    for character in '\0'..=char::MAX {
        let kind = kind_of(character.into());
        assert_eq!(kind.count_ones(), 1, "{character:?}");
        for (index, Property { name, set, .. }) in properties.iter().enumerate() {
            let expected = bits[character as usize] >> index & 1 == 1;
            assert_eq!(kind & set != 0, expected, "{name} {character:?}");
        }
        if character.is_ascii() {
            assert_eq!(ascii_kind(character as u8), kind, "{character:?}");
        }
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), source(&bits));
}

#[test]
fn bytes_above_ascii_and_numbers_above_characters_have_no_kind() {
    assert!((0x80..=0xff).all(|byte| ascii_kind(byte) == 0));
    assert_eq!(kind_of(0x11_0000), 0);
    assert_eq!(kind_of(u32::MAX), 0);
}

/// The crate's `WhitespaceSplit` and `Digits` ask Rust, the patterns Oniguruma.
#[test]
fn white_space_is_the_same_for_rust_and_for_patterns() {
    for character in '\0'..=char::MAX {
        let kind = kind_of(character.into());
        assert_eq!(
            kind & sets::WHITE != 0,
            character.is_whitespace(),
            "{character:?}"
        );
    }
}
