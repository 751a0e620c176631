//! Byte-pair encoding by the scores of pieces (`bpe::Model` of SentencePiece).

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

use super::vocabulary::{Prefixes, Segment, Vocabulary};
use crate::formats::sentencepiece::PieceKind;

/// A range of the text that is not merged further, or a neighbor of one.
struct Symbol {
    start: usize,
    /// The start again if the symbol was merged into the one before it.
    end: usize,
    previous: Option<usize>,
    next: Option<usize>,
    /// True for a user-defined piece, which is never merged.
    is_fixed: bool,
}

/// Two symbols that form a piece.
struct Pair {
    score: f32,
    left: usize,
    right: usize,
    /// The length of the piece in bytes.
    length: usize,
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

/// The state of the merging of a text.
struct Merging<'a> {
    vocabulary: &'a Vocabulary<'a>,
    text: &'a str,
    symbols: Vec<Symbol>,
    pairs: BinaryHeap<Pair>,
    /// For each range whose piece is unused, the place where it was joined last.
    joins: HashMap<&'a str, usize>,
}

/// Splits a text into pieces by merging its characters.
pub fn segment(vocabulary: &Vocabulary<'_>, fixed: &Prefixes, text: &str) -> Vec<Segment> {
    let symbols = symbols(fixed, text);
    let mut merging = Merging {
        vocabulary,
        text,
        pairs: BinaryHeap::new(),
        joins: HashMap::new(),
        symbols,
    };
    for right in 1..merging.symbols.len() {
        merging.consider(Some(right - 1), Some(right));
    }
    merging.run();
    let mut segments = Vec::new();
    let mut at = (!merging.symbols.is_empty()).then_some(0);
    while let Some(index) = at {
        let symbol = &merging.symbols[index];
        merging.emit(symbol.start, symbol.end, &mut segments);
        at = symbol.next;
    }
    segments
}

fn symbols(fixed: &Prefixes, text: &str) -> Vec<Symbol> {
    let mut symbols: Vec<Symbol> = Vec::new();
    let mut start = 0;
    while let Some(character) = text[start..].chars().next() {
        let matched = fixed.longest(&text[start..]);
        let end = start + matched.unwrap_or(character.len_utf8());
        let index = symbols.len();
        symbols.push(Symbol {
            start,
            end,
            previous: index.checked_sub(1),
            next: (end < text.len()).then_some(index + 1),
            is_fixed: matched.is_some(),
        });
        start = end;
    }
    symbols
}

impl Merging<'_> {
    /// Adds a pair if its symbols form a piece.
    fn consider(&mut self, left: Option<usize>, right: Option<usize>) {
        let (Some(left), Some(right)) = (left, right) else {
            return;
        };
        let (one, other) = (&self.symbols[left], &self.symbols[right]);
        if one.is_fixed || other.is_fixed {
            return;
        }
        let (start, middle) = (one.start, one.end);
        let end = middle + (other.end - other.start);
        let Some(piece) = self.text.get(start..end) else {
            return;
        };
        let Some(id) = self.vocabulary.find_in_text(piece) else {
            return;
        };
        if self.vocabulary.kind(id) == PieceKind::Unused {
            self.joins.insert(piece, middle - start);
        }
        self.pairs.push(Pair {
            score: self.vocabulary.score(id),
            left,
            right,
            length: end - start,
        });
    }

    fn run(&mut self) {
        while let Some(pair) = self.pairs.pop() {
            let length = |index: usize| {
                let symbol = &self.symbols[index];
                symbol.end - symbol.start
            };
            let (left, right) = (length(pair.left), length(pair.right));
            if left == 0 || right == 0 || left + right != pair.length {
                continue;
            }
            let next = self.symbols[pair.right].next;
            self.symbols[pair.right].end = self.symbols[pair.right].start;
            let symbol = &mut self.symbols[pair.left];
            symbol.end += right;
            symbol.next = next;
            let previous = symbol.previous;
            if let Some(next) = next {
                self.symbols[next].previous = Some(pair.left);
            }
            self.consider(previous, Some(pair.left));
            self.consider(Some(pair.left), next);
        }
    }

    /// Emits a range, or its parts if its piece is unused.
    fn emit(&self, start: usize, end: usize, segments: &mut Vec<Segment>) {
        let mut open = vec![(start, end)];
        while let Some((start, end)) = open.pop() {
            let piece = &self.text[start..end];
            let id = self.vocabulary.id(piece);
            let is_unused = self.vocabulary.kind(id) == PieceKind::Unused;
            match self.joins.get(piece).filter(|_| is_unused) {
                Some(middle) => open.extend([(start + middle, end), (start, start + middle)]),
                None => segments.push(Segment { id, start, end }),
            }
        }
    }
}
