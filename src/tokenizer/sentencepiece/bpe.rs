//! Byte-pair encoding by the scores of pieces (`bpe::Model` of SentencePiece).

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

use super::vocabulary::{Segment, UserDefined, Vocabulary};
use crate::formats::sentencepiece::PieceKind;

/// A range of the text that is not merged further, or a neighbor of one.
#[derive(Debug)]
struct Symbol {
    start: u32,
    /// The start again if the symbol was merged into the one before it.
    end: u32,
    /// [`NONE`] at the start of the text.
    previous: u32,
    /// [`NONE`] at the end of the text.
    next: u32,
    /// True for a user-defined piece, which is never merged.
    is_fixed: bool,
}

const NONE: u32 = u32::MAX;

impl Symbol {
    fn length(&self) -> u32 {
        self.end - self.start
    }
}

/// Two symbols that form a piece.
#[derive(Debug)]
struct Pair {
    score: f32,
    left: u32,
    right: u32,
    /// The length of the piece in bytes.
    length: u32,
}

impl Ord for Pair {
    /// The pair that is merged first is the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_score = self.score.total_cmp(&other.score);
        by_score.then_with(|| other.left.cmp(&self.left))
    }
}

impl PartialOrd for Pair {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Pair {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Pair {}

/// The memory of the merging of a text, which is used again by the next one.
#[derive(Debug, Default)]
pub struct Merger {
    symbols: Vec<Symbol>,
    pairs: BinaryHeap<Pair>,
}

/// The state of the merging of a text.
struct Merging<'a> {
    vocabulary: &'a Vocabulary<'a>,
    text: &'a str,
    memory: &'a mut Merger,
    /// For each range whose piece is unused, the place where it was joined last.
    joins: HashMap<&'a str, u32>,
}

impl Merger {
    /// Splits a text into pieces by merging its characters, and appends them. `fixed` are the pieces that are not merged.
    pub fn run(
        &mut self,
        vocabulary: &Vocabulary<'_>,
        fixed: UserDefined<'_>,
        text: &str,
        segments: &mut Vec<Segment>,
    ) {
        self.set_symbols(fixed, text);
        self.pairs.clear();
        let count = self.symbols.len() as u32;
        let mut merging = Merging {
            vocabulary,
            text,
            memory: self,
            joins: HashMap::new(),
        };
        for right in 1..count {
            merging.consider(right - 1, right);
        }
        merging.run();
        let mut at = if count == 0 { NONE } else { 0 };
        while let Some(symbol) = merging.memory.symbols.get(at as usize) {
            let next = symbol.next;
            merging.emit(symbol.start as usize, symbol.end as usize, segments);
            at = next;
        }
    }

    fn set_symbols(&mut self, fixed: UserDefined<'_>, text: &str) {
        self.symbols.clear();
        let mut start = 0;
        while let Some(character) = text[start..].chars().next() {
            let matched = fixed.longest(&text[start..]);
            let end = start + matched.unwrap_or(character.len_utf8());
            let index = self.symbols.len() as u32;
            self.symbols.push(Symbol {
                start: start as u32,
                end: end as u32,
                previous: index.checked_sub(1).unwrap_or(NONE),
                next: if end < text.len() { index + 1 } else { NONE },
                is_fixed: matched.is_some(),
            });
            start = end;
        }
    }
}

impl Merging<'_> {
    /// Adds a pair if its symbols form a piece.
    fn consider(&mut self, left: u32, right: u32) {
        let symbols = &self.memory.symbols;
        let (Some(one), Some(other)) = (symbols.get(left as usize), symbols.get(right as usize))
        else {
            return;
        };
        if one.is_fixed || other.is_fixed {
            return;
        }
        let (start, middle) = (one.start, one.end);
        let end = middle + other.length();
        let Some(piece) = self.text.get(start as usize..end as usize) else {
            return;
        };
        let Some(id) = self.vocabulary.find_in_text(piece) else {
            return;
        };
        if self.vocabulary.kind(id) == PieceKind::Unused {
            self.joins.insert(piece, middle - start);
        }
        self.memory.pairs.push(Pair {
            score: self.vocabulary.score(id),
            left,
            right,
            length: end - start,
        });
    }

    fn run(&mut self) {
        while let Some(pair) = self.memory.pairs.pop() {
            let symbols = &mut self.memory.symbols;
            let [left, right] = [pair.left, pair.right].map(|index| index as usize);
            let lengths = [left, right].map(|index| symbols.get(index).map_or(0, Symbol::length));
            if lengths.contains(&0) || lengths[0] + lengths[1] != pair.length {
                continue;
            }
            let next = symbols[right].next;
            symbols[right].end = symbols[right].start;
            let symbol = &mut symbols[left];
            symbol.end += lengths[1];
            symbol.next = next;
            let previous = symbol.previous;
            if let Some(next) = symbols.get_mut(next as usize) {
                next.previous = pair.left;
            }
            self.consider(previous, pair.left);
            self.consider(pair.left, next);
        }
    }

    /// Emits a range, or its parts if its piece is unused.
    fn emit(&self, start: usize, end: usize, segments: &mut Vec<Segment>) {
        if self.joins.is_empty() {
            let id = self.vocabulary.id(&self.text[start..end]);
            return segments.push(Segment { id, start, end });
        }
        let mut open = vec![(start, end)];
        while let Some((start, end)) = open.pop() {
            let piece = &self.text[start..end];
            match self.joins.get(piece) {
                Some(middle) => {
                    let middle = start + *middle as usize;
                    open.extend([(middle, end), (start, middle)]);
                }
                None => {
                    let id = self.vocabulary.id(piece);
                    segments.push(Segment { id, start, end });
                }
            }
        }
    }
}
