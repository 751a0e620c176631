//! Texts to compare on.

use super::super::kind_runs::{LOWER, UPPER};
use super::super::kinds::kind_of;

/// Characters of all kinds, and those that patterns name. The first are the most telling.
pub const ALPHABET: &[&str] = &[
    "a", "S", "t", "e", "L", "'", " ", "\t", "\n", "\r", "1", "²", "!", "/", "-", "漢", "é", "É",
    "ʰ", "\u{301}", "か", "\u{a0}", "😀", "ſ", "\0", "l", "s", "r", "v", "m", "d", "B", "’", "٣",
    "〇", "½", "\u{2028}", "\u{85}", "_", "$", "(", "|", "<", ">", "ǅ", "ー", "・", "\u{3099}",
    "ا", "،", "।", "…", "\u{200d}", "\u{ad}", "İ", "ß", "Ⓐ", "⺀", "。", ".", ",", "々",
];

/// Calls `check` with all texts of `length` elements.
pub fn tuples(alphabet: &[&str], length: usize, check: &mut impl FnMut(&str)) {
    fn extend(alphabet: &[&str], length: usize, text: &mut String, check: &mut impl FnMut(&str)) {
        if length == 0 {
            return check(text);
        }
        for element in alphabet {
            text.push_str(element);
            extend(alphabet, length - 1, text, check);
            text.truncate(text.len() - element.len());
        }
    }
    extend(alphabet, length, &mut String::new(), check);
}

/// Returns true for characters that are worth the time of an ordinary run: some of those where kinds change.
pub fn is_various(character: char) -> bool {
    let kind = |character: u32| kind_of(character) & !(LOWER | UPPER);
    let character = u32::from(character);
    let changes = kind(character) != kind(character.wrapping_sub(1));
    character < 0x180 || changes && character % 4 == 0 || character % 9973 == 0
}

/// A xorshift generator.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    fn element<'a>(&mut self, elements: &[&'a str]) -> &'a str {
        elements[self.below(elements.len())]
    }

    /// Returns a text of up to thirty runs of elements, most of them of ASCII in one text of two.
    pub fn text(&mut self) -> String {
        const RUNS: &[&str] = &[
            "abc",
            "Hello",
            "HTTP",
            "camelCase",
            "'s",
            "'T",
            "'re",
            "'LL",
            "'ve",
            "'d",
            "'ſ",
            " ",
            "  ",
            "\n",
            "\r\n",
            "\n\n",
            " \n ",
            "\t",
            "12",
            "3456",
            "!",
            "...",
            "->",
            "://",
            "/",
            "_",
            "$",
            "(x)",
            "<|endoftext|>",
            "<|startoftext|>",
            "don't",
            "I'M",
            "<|",
            "|>",
            "'",
            "#",
            "\u{a0}",
        ];
        let mut text = String::new();
        let ascii = self.below(2) == 0;
        for _ in 0..1 + self.below(30) {
            match self.below(if ascii { 8 } else { 16 }) {
                0..=5 => text.push_str(self.element(RUNS)),
                6 => text.push(char::from(self.below(128) as u8)),
                7 => {
                    let element = self.element(RUNS);
                    text.push_str(&element.repeat(1 + self.below(4)));
                }
                8..=12 => {
                    let element = self.element(ALPHABET);
                    text.push_str(&element.repeat(1 + self.below(3)));
                }
                13 => text.extend(char::from_u32(self.below(0x3100) as u32)),
                14 => text.extend(char::from_u32(self.below(0x2_0000) as u32)),
                _ => text.extend(char::from_u32(self.below(0x11_0000) as u32)),
            }
        }
        text
    }
}
