//! Normalized text that tracks, for each byte, the range of the original text that it comes from.

/// Normalized text. `ranges` has one range per byte of `text`, or is empty if ranges are not tracked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlignedText {
    pub text: String,
    /// Half-open byte ranges of the original text.
    pub ranges: Vec<(u32, u32)>,
}

impl AlignedText {
    pub fn clear(&mut self) {
        self.text.clear();
        self.ranges.clear();
    }

    /// Replaces the text with a part of the original text that begins at byte `start`, with its ranges if `RANGES`.
    pub fn set<const RANGES: bool>(&mut self, part: &str, start: usize) {
        self.clear();
        self.text.push_str(part);
        if RANGES {
            let ranges = part.char_indices().flat_map(|(index, character)| {
                let start = (start + index) as u32;
                let length = character.len_utf8();
                std::iter::repeat_n((start, start + length as u32), length)
            });
            self.ranges.extend(ranges);
        }
    }

    /// Appends a character that comes from `range`.
    #[inline]
    pub fn push(&mut self, character: char, range: (u32, u32)) {
        self.text.push(character);
        self.ranges
            .extend(std::iter::repeat_n(range, character.len_utf8()));
    }

    /// Appends bytes `start` to `end` of another text, with their ranges if `RANGES`.
    #[inline]
    pub fn copy<const RANGES: bool>(&mut self, from: &Self, start: usize, end: usize) {
        self.text.push_str(&from.text[start..end]);
        if RANGES {
            self.ranges.extend_from_slice(&from.ranges[start..end]);
        }
    }

    /// Returns the original range of bytes `start` to `end`, or `(0, 0)` without `RANGES`.
    #[inline]
    pub fn original<const RANGES: bool>(&self, start: usize, end: usize) -> (u32, u32) {
        if RANGES {
            (self.ranges[start].0, self.ranges[end - 1].1)
        } else {
            (0, 0)
        }
    }
}

/// A normalization of a text, character by character.
///
/// Reproduces `NormalizedString::transform` of the `tokenizers` crate, quirks included, because that function decides
/// which characters share a range, and with it the offsets of the reference.
#[derive(Debug)]
pub struct Transform<'a> {
    source: std::iter::Peekable<std::str::CharIndices<'a>>,
    /// The byte offset of `source` in the original text.
    start: u32,
    /// The range of the last character taken from `source`. `None` before the first.
    last: Option<(u32, u32)>,
    /// The last character of the output. It is not written yet, because later removals are charged to it.
    pending: Option<Pending>,
}

#[derive(Debug, Clone, Copy)]
struct Pending {
    character: char,
    /// True if the character replaces no character of the source.
    inserted: bool,
    /// The number of source characters to skip after it.
    removed: usize,
}

impl<'a> Transform<'a> {
    /// Starts the normalization of `source`, which begins at byte `start` of the original text.
    pub fn new(source: &'a str, start: u32) -> Self {
        Self {
            source: source.char_indices().peekable(),
            start,
            last: None,
            pending: None,
        }
    }

    /// Keeps the next character of the source.
    #[inline]
    pub fn keep(&mut self, character: char, out: &mut AlignedText) {
        self.step(character, false, out);
    }

    /// Replaces `old`, the next characters of the source, with `new`.
    ///
    /// Characters are replaced one for one. If `new` is longer, the rest of it is inserted. If it is shorter, the rest
    /// of `old` is removed and charged to the last character of the output. At the very start there is no such
    /// character, so nothing is removed: the reference loses count there, and later characters get the ranges of
    /// earlier ones.
    pub fn replace(&mut self, old: &str, new: &str, out: &mut AlignedText) {
        let old = old.chars().count();
        let mut written = 0;
        for character in new.chars() {
            self.step(character, written >= old, out);
            written += 1;
        }
        if written < old
            && let Some(pending) = &mut self.pending
        {
            if pending.inserted {
                // An insertion counts as 1, each removed character as -1.
                let change = 1 - (old - written + pending.removed) as isize;
                self.charge_insertion(change);
            } else {
                pending.removed += old - written;
            }
        }
    }

    fn charge_insertion(&mut self, change: isize) {
        if let Some(pending) = &mut self.pending {
            // A change of 0 replaces a character; a negative change also removes characters.
            pending.inserted = change > 0;
            pending.removed = usize::try_from(-change).unwrap_or(0);
        }
    }

    /// Writes the pending character.
    pub fn finish(mut self, out: &mut AlignedText) {
        self.write_pending(out);
    }

    #[inline]
    fn step(&mut self, character: char, inserted: bool, out: &mut AlignedText) {
        self.write_pending(out);
        self.pending = Some(Pending {
            character,
            inserted,
            removed: 0,
        });
    }

    #[inline]
    fn write_pending(&mut self, out: &mut AlignedText) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        let range = if pending.inserted {
            self.last.unwrap_or((0, 0))
        } else {
            let range = self.take().or(self.last).unwrap_or((0, 0));
            for _ in 0..pending.removed {
                self.take();
            }
            range
        };
        out.push(pending.character, range);
    }

    #[inline]
    fn take(&mut self) -> Option<(u32, u32)> {
        let (index, character) = self.source.next()?;
        let start = self.start + index as u32;
        let range = (start, start + character.len_utf8() as u32);
        self.last = Some(range);
        Some(range)
    }
}
