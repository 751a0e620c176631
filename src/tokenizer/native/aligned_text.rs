//! Normalized text, each byte with the range of the original text that it comes from.

/// Text under normalization. `ranges` has one range for every byte of `text`, or none at all where they are not kept.
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

    /// Appends a character that comes from `range`.
    #[inline]
    pub fn push(&mut self, character: char, range: (u32, u32)) {
        self.text.push(character);
        self.ranges
            .extend(std::iter::repeat_n(range, character.len_utf8()));
    }

    /// Appends bytes `start` to `end` of another text, with their ranges if those are kept.
    #[inline]
    pub fn copy<const RANGES: bool>(&mut self, from: &Self, start: usize, end: usize) {
        self.text.push_str(&from.text[start..end]);
        if RANGES {
            self.ranges.extend_from_slice(&from.ranges[start..end]);
        }
    }

    /// The range that the bytes from `start` to `end` come from; `(0, 0)` if ranges are not kept.
    #[inline]
    pub fn original<const RANGES: bool>(&self, start: usize, end: usize) -> (u32, u32) {
        if RANGES {
            (self.ranges[start].0, self.ranges[end - 1].1)
        } else {
            (0, 0)
        }
    }
}

/// What is done to a text, character by character, in the terms of `NormalizedString::transform` of the `tokenizers`
/// crate: that decides which characters share a range, and its quirks are offsets of the reference.
#[derive(Debug)]
pub struct Transform<'a> {
    source: std::iter::Peekable<std::str::CharIndices<'a>>,
    /// Where `source` begins in the original text.
    start: u32,
    /// The range of the last character taken from `source`; none before the first.
    last: Option<(u32, u32)>,
    /// The place in the output of the character that a removal would be charged to, and characters still to be
    /// skipped once it has been written.
    pending: Option<Pending>,
}

#[derive(Debug, Clone, Copy)]
struct Pending {
    character: char,
    inserted: bool,
    removed: usize,
}

impl<'a> Transform<'a> {
    /// Begins at the start of `source`, which is at byte `start` of the original text.
    pub fn new(source: &'a str, start: u32) -> Self {
        Self {
            source: source.char_indices().peekable(),
            start,
            last: None,
            pending: None,
        }
    }

    /// Keeps a character.
    #[inline]
    pub fn keep(&mut self, character: char, out: &mut AlignedText) {
        self.step(character, false, out);
    }

    /// Replaces characters by those of `new`: one for one; more are inserted behind; fewer remove what is left, which
    /// is charged to the last character written. At the very start there is none, and then nothing is removed: the
    /// reference loses count there, and later characters come from earlier ones.
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
                // `1 - n`: an insertion from which characters are removed.
                let change = 1 - (old - written + pending.removed) as isize;
                self.charge_insertion(change);
            } else {
                pending.removed += old - written;
            }
        }
    }

    fn charge_insertion(&mut self, change: isize) {
        if let Some(pending) = &mut self.pending {
            // A change of 0 replaces, one below 0 replaces and removes.
            pending.inserted = change > 0;
            pending.removed = usize::try_from(-change).unwrap_or(0);
        }
    }

    /// Writes the last character.
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
