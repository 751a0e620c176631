//! The search for the most probable pieces of a text (`EncodeOptimized` of SentencePiece).
//!
//! SentencePiece adds scores up in float32 over the whole text, so that the rounding of a word depends on the sum of the
//! words before it. The search goes on with that sum, word by word, and so gives the same pieces in little memory.

use super::vocabulary::{Segment, Vocabulary};

/// The best pieces up to a position.
#[derive(Debug, Clone, Copy)]
struct Best {
    id: u32,
    score: f32,
    /// [`NOWHERE`] if no pieces end here.
    start: u32,
}

const NOWHERE: u32 = u32::MAX;

/// The size of sums above which SentencePiece 0.2.3 counts from 0 again.
pub const LARGEST_SUM: f32 = 100_000.0;

/// A piece, or an unknown character, that may be part of the best pieces.
#[derive(Debug, Clone, Copy)]
struct Edge {
    start: u32,
    end: u32,
    score: f64,
}

/// The memory of a search, which is used again by the next one.
#[derive(Debug, Default)]
pub struct Search {
    best: Vec<Best>,
    edges: Vec<Edge>,
    /// The best sum up to and from each position, for [`Search::lead`].
    sums: Vec<[f64; 2]>,
}

impl Search {
    /// Splits a text into the pieces with the greatest sum of scores, given the sum so far. Sums are rounded as in
    /// SentencePiece. If the text is not the last, its end may be left over: no piece reaches across the end of what was
    /// split, whatever follows.
    ///
    /// Returns the number of bytes that were split, and the sum of the scores of everything so far.
    pub fn run(
        &mut self,
        vocabulary: &Vocabulary<'_>,
        (text, is_last): (&str, bool),
        sum: f32,
        segments: &mut Vec<Segment>,
    ) -> (usize, f32) {
        segments.clear();
        let unknown = Best {
            id: vocabulary.unknown_id,
            score: 0.0,
            start: NOWHERE,
        };
        self.best.clear();
        self.best.resize(text.len() + 1, unknown);
        self.best[0].score = sum;
        let bytes = text.as_bytes();
        let (mut reach, mut done, mut is_open) = (0, 0, false);
        for (start, character) in text.char_indices() {
            if reach <= start && !is_open {
                done = start;
            }
            let before = self.count_anew(start, reach);
            let width = character.len_utf8();
            let mut is_known = false;
            let mut add = |end: usize, id: u32, score: f32| {
                reach = reach.max(end);
                let best = &mut self.best[end];
                if best.start == NOWHERE || score > best.score {
                    *best = Best {
                        id,
                        score,
                        start: start as u32,
                    };
                }
            };
            let mut walk = vocabulary.trie.walk();
            let mut end = start;
            loop {
                let Some(byte) = bytes.get(end) else {
                    is_open = true;
                    break;
                };
                let Some(node) = walk.step(*byte) else {
                    break;
                };
                end += 1;
                let Some(id) = node.value.checked_sub(1) else {
                    continue;
                };
                let Some(score) = vocabulary.unigram_score(id) else {
                    continue;
                };
                add(end, id, before + score);
                is_known |= end - start == width;
            }
            if !is_known {
                let score = before + vocabulary.unknown_score;
                add(start + width, vocabulary.unknown_id, score);
            }
        }
        if is_last {
            done = text.len();
        }
        let mut end = done;
        while let Some(best) = self.best.get(end).filter(|best| best.start != NOWHERE) {
            let start = best.start as usize;
            segments.push(Segment {
                id: best.id,
                start,
                end,
            });
            end = start;
        }
        segments.reverse();
        (done, self.best[done].score)
    }

    /// Returns the best sum up to `start`, after it was subtracted from all sums from there up to `reach` if it is too large.
    fn count_anew(&mut self, start: usize, reach: usize) -> f32 {
        let sum = self.best[start].score;
        if sum.abs() <= LARGEST_SUM {
            return sum;
        }
        for (index, best) in self.best.iter_mut().enumerate().take(reach + 1).skip(start) {
            if index == start || best.start != NOWHERE {
                best.score -= sum;
            }
        }
        0.0
    }

    /// Returns how much better `segments`, the pieces of a whole text, are than any other pieces, without rounding. Zero
    /// or less means that they are not the best without rounding.
    pub fn lead(&mut self, vocabulary: &Vocabulary<'_>, text: &str, segments: &[Segment]) -> f64 {
        let bytes = text.as_bytes();
        self.edges.clear();
        for (start, character) in text.char_indices() {
            let width = character.len_utf8();
            let mut is_known = false;
            let mut walk = vocabulary.trie.walk();
            for (index, byte) in bytes[start..].iter().enumerate() {
                let Some(node) = walk.step(*byte) else {
                    break;
                };
                let id = node.value.checked_sub(1);
                if let Some(score) = id.and_then(|id| vocabulary.unigram_score(id)) {
                    self.add_edge(start, start + index + 1, f64::from(score));
                    is_known |= index + 1 == width;
                }
            }
            if !is_known {
                self.add_edge(start, start + width, f64::from(vocabulary.unknown_score));
            }
        }
        self.sums.clear();
        self.sums.resize(text.len() + 1, [f64::NEG_INFINITY; 2]);
        self.sums[0][0] = 0.0;
        self.sums[text.len()][1] = 0.0;
        for edge in &self.edges {
            let sum = self.sums[edge.start as usize][0] + edge.score;
            let best = &mut self.sums[edge.end as usize][0];
            *best = best.max(sum);
        }
        for edge in self.edges.iter().rev() {
            let sum = self.sums[edge.end as usize][1] + edge.score;
            let best = &mut self.sums[edge.start as usize][1];
            *best = best.max(sum);
        }
        let (mut own, mut other) = (0.0, f64::NEG_INFINITY);
        let mut rest = segments.iter().peekable();
        for edge in &self.edges {
            let is_own = |segment: &&Segment| {
                segment.start == edge.start as usize && segment.end == edge.end as usize
            };
            if rest.next_if(|segment| is_own(segment)).is_some() {
                own += edge.score;
                continue;
            }
            let around = self.sums[edge.start as usize][0] + self.sums[edge.end as usize][1];
            other = f64::max(other, around + edge.score);
        }
        own - other
    }

    fn add_edge(&mut self, start: usize, end: usize, score: f64) {
        self.edges.push(Edge {
            start: start as u32,
            end: end as u32,
            score,
        });
    }
}
