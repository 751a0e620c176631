//! The forms of characters, computed when a character first occurs.

use super::steps::{BertSteps, CharForm};
use crate::tokenizer::native::aligned_text::AlignedText;

/// The number of entries in a block.
const BLOCK: usize = 256;
/// No token has this id.
pub const NO_TOKEN: u32 = u32::MAX;
/// Entries have 32 bits, 3 of them for the class.
const CLASS_BITS: u32 = 3;

/// The role of a character among words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CharClass {
    /// It separates words and is not part of any.
    Space,
    /// It is a word of its own with this one token.
    Word(u32),
    /// It is part of a word, or removed.
    Part,
    /// Its form depends on the text around it.
    Mixed,
}

/// The forms of the characters that have occurred, in blocks of 256 characters.
#[derive(Debug, Default)]
pub struct CharTable {
    /// By number of a block of Unicode: the number of its block in `entries`. The first block there stays empty.
    blocks: Vec<u16>,
    entries: Vec<u32>,
    /// Normalized forms of other than one character, one after the other, and the end of each.
    forms: String,
    form_ends: Vec<u32>,
}

/// The characters after runs of ASCII letters and digits, by byte.
#[derive(Debug, Clone, Copy)]
pub struct AsciiTable([u32; 256]);

impl AsciiTable {
    /// A byte that needs [`CharTable::class`].
    pub const OTHER: u32 = NO_TOKEN - 1;

    /// Returns the token of a byte that is a word of its own, [`NO_TOKEN`] if it is a space, or else [`Self::OTHER`].
    #[inline]
    pub fn get(&self, byte: u8) -> u32 {
        self.0[usize::from(byte)]
    }
}

const UNSEEN: u32 = 0;
const SPACE: u32 = 1;
const WORD: u32 = 2;
/// With the code point of its normalized form.
const PART: u32 = 3;
/// With the index of its normalized form.
const LONG_PART: u32 = 4;
const MIXED: u32 = 5;

impl CharTable {
    /// Prepares the table. Returns the tokens of ASCII characters. `word_id` returns the token of a word, or `None` if
    /// it has more than one.
    pub fn prepare(
        &mut self,
        steps: &BertSteps,
        word_id: impl Fn(&str) -> Option<u32>,
    ) -> AsciiTable {
        self.blocks.resize((char::MAX as usize + 1) / BLOCK, 0);
        self.entries.resize(BLOCK, UNSEEN);
        let mut ascii = AsciiTable([AsciiTable::OTHER; 256]);
        for byte in 0..128 {
            match self.class(char::from(byte), steps, &word_id) {
                CharClass::Space => ascii.0[usize::from(byte)] = NO_TOKEN,
                CharClass::Word(id) => ascii.0[usize::from(byte)] = id,
                CharClass::Part | CharClass::Mixed => {}
            }
        }
        ascii
    }

    /// Returns the class of a character.
    #[inline]
    pub fn class(
        &mut self,
        character: char,
        steps: &BertSteps,
        word_id: impl Fn(&str) -> Option<u32>,
    ) -> CharClass {
        let mut entry = self.entry(character);
        if entry == UNSEEN {
            entry = self.see(character, steps, word_id);
        }
        match entry & ((1 << CLASS_BITS) - 1) {
            SPACE => CharClass::Space,
            WORD => CharClass::Word(entry >> CLASS_BITS),
            MIXED => CharClass::Mixed,
            _ => CharClass::Part,
        }
    }

    #[inline]
    fn entry(&self, character: char) -> u32 {
        let code = character as usize;
        let block = self.blocks.get(code / BLOCK).copied().unwrap_or_default();
        let index = usize::from(block) * BLOCK + code % BLOCK;
        self.entries.get(index).copied().unwrap_or_default()
    }

    /// Computes an entry.
    #[cold]
    fn see(
        &mut self,
        character: char,
        steps: &BertSteps,
        word_id: impl Fn(&str) -> Option<u32>,
    ) -> u32 {
        let with = |class: u32, payload: u32| {
            let fits = payload < 1 << (u32::BITS - CLASS_BITS);
            if fits {
                payload << CLASS_BITS | class
            } else {
                MIXED
            }
        };
        let entry = match steps.form(character) {
            CharForm::Space => SPACE,
            CharForm::Mixed => MIXED,
            CharForm::Word(word) => word_id(&word).map_or(MIXED, |id| with(WORD, id)),
            CharForm::Removed => with(LONG_PART, self.add_form("")),
            CharForm::Part(form) => {
                let mut characters = form.chars();
                match (characters.next(), characters.next()) {
                    (Some(only), None) => with(PART, only.into()),
                    _ => with(LONG_PART, self.add_form(&form)),
                }
            }
        };
        let code = character as usize;
        let block = &mut self.blocks[code / BLOCK];
        if *block == 0 {
            *block = (self.entries.len() / BLOCK) as u16;
            self.entries.resize(self.entries.len() + BLOCK, UNSEEN);
        }
        self.entries[usize::from(*block) * BLOCK + code % BLOCK] = entry;
        entry
    }

    /// Stores a normalized form. Returns its index.
    fn add_form(&mut self, form: &str) -> u32 {
        self.forms.push_str(form);
        self.form_ends.push(self.forms.len() as u32);
        self.form_ends.len() as u32 - 1
    }

    fn stored_form(&self, index: usize) -> Option<&str> {
        let end = *self.form_ends.get(index)? as usize;
        let before = index.checked_sub(1);
        let start = before.map_or(0, |before| self.form_ends[before] as usize);
        self.forms.get(start..end)
    }

    /// Writes the normalized form of a word that begins at byte `start` of a text. All its characters must be parts of
    /// words.
    pub fn normalize(&self, word: &str, start: usize, out: &mut AlignedText) {
        out.clear();
        let mut begin = start as u32;
        for character in word.chars() {
            let range = (begin, begin + character.len_utf8() as u32);
            begin = range.1;
            let entry = self.entry(character);
            let payload = entry >> CLASS_BITS;
            if entry & ((1 << CLASS_BITS) - 1) == PART {
                out.push(char::from_u32(payload).unwrap_or(character), range);
            } else if let Some(form) = self.stored_form(payload as usize) {
                out.text.push_str(form);
                out.ranges.extend(std::iter::repeat_n(range, form.len()));
            }
        }
    }
}
