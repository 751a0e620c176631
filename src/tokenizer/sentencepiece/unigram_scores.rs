//! The scores that the Unigram algorithm adds up.

use crate::formats::sentencepiece::PieceKind;
use crate::tokenizer::native::compiled::CompiledVocabulary;

/// The penalty of an unknown character, as a logarithm.
const UNKNOWN_PENALTY: f32 = 10.0;

/// The score of a user-defined piece for each byte after the first.
const USER_DEFINED_BONUS: f64 = 0.1;

/// The number of scores that are compared together.
const LANES: usize = 8;

/// The scores of the pieces of a vocabulary.
#[derive(Debug, Default)]
pub struct UnigramScores {
    /// The scores by id; not a number for those that no text contains.
    pub by_id: Vec<f32>,
    /// The score of an unknown character.
    pub unknown: f32,
    /// The greatest size of a score.
    pub largest: f32,
}

impl UnigramScores {
    /// Returns the scores of a vocabulary.
    pub fn new(compiled: &CompiledVocabulary) -> Self {
        let scores = compiled.scores().iter();
        let mut by_id: Vec<f32> = scores.map(|score| *score as f32).collect();
        for (id, _) in compiled.kind_table().exceptions() {
            if let Some(score) = by_id.get_mut(id as usize) {
                *score = f32::NAN;
            }
        }
        let (least, most) = extremes(&by_id);
        let unknown = least - UNKNOWN_PENALTY;
        let mut largest = [least, most, unknown]
            .map(f32::abs)
            .into_iter()
            .fold(0.0, f32::max);
        for (id, _) in compiled.ids_of_kinds([PieceKind::UserDefined; 2]) {
            // A user-defined piece wins against others, whose scores are below zero.
            let length = compiled.piece(id).map_or(1, str::len);
            let bonus = (length.saturating_sub(1) as f64 * USER_DEFINED_BONUS) as f32;
            largest = largest.max(bonus);
            if let Some(score) = by_id.get_mut(id as usize) {
                *score = bonus;
            }
        }
        Self {
            by_id,
            unknown,
            largest,
        }
    }
}

/// Returns the least and the greatest number; the greatest and the least of all if there are none.
fn extremes(numbers: &[f32]) -> (f32, f32) {
    let (blocks, rest) = numbers.as_chunks::<LANES>();
    let (mut least, mut most) = ([f32::MAX; LANES], [f32::MIN; LANES]);
    let mut add = |lane: usize, number: f32| {
        // A comparison with what is not a number is false.
        if number < least[lane] {
            least[lane] = number;
        }
        if number > most[lane] {
            most[lane] = number;
        }
    };
    for block in blocks {
        for (lane, number) in block.iter().enumerate() {
            add(lane, *number);
        }
    }
    for number in rest {
        add(0, *number);
    }
    let least = least.into_iter().fold(f32::MAX, f32::min);
    (least, most.into_iter().fold(f32::MIN, f32::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_are_those_of_the_numbers() {
        let mut numbers: Vec<f32> = (0..50).map(|index| (index * 37 % 50) as f32).collect();
        numbers[3] = f32::NAN;
        for length in [0, 1, 7, 8, 9, 50] {
            let part = &numbers[..length];
            let numbers = part.iter().copied().filter(|number| !number.is_nan());
            let least = numbers.clone().fold(f32::MAX, f32::min);
            let most = numbers.fold(f32::MIN, f32::max);
            assert_eq!(extremes(part), (least, most), "{length}");
        }
    }
}
