//! The places of texts in the long arrays of a header, such as the list of pieces.
//!
//! A text follows its length, so that all texts before one are passed over to find it, and all of an array to find what
//! comes after it. The places of some of them are stored in the app cache.

/// Texts between two places.
const STEP: u64 = 1024;
/// The fewest texts of an array whose places are stored.
pub const MIN_TEXTS: u64 = 8 * STEP;
/// The first word of the stored form.
const FORM: &str = "places-1";

/// The places of texts in the arrays of a header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextPlaces {
    arrays: Vec<ArrayPlaces>,
}

/// The places of texts in an array.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ArrayPlaces {
    /// The offset of the first text.
    start: u64,
    /// The number of texts.
    count: u64,
    /// The offsets of every [`STEP`]th text after the first, and of the end.
    places: Vec<u64>,
}

impl TextPlaces {
    /// Returns true if no array is so long that its places are stored.
    pub fn is_empty(&self) -> bool {
        self.arrays.is_empty()
    }

    /// Returns the end of an array that begins at `start`. Returns `None` if it is not known.
    pub fn end(&self, start: u64, count: u64) -> Option<u64> {
        let array = self.array(start).filter(|array| array.count == count);
        array?.places.last().copied()
    }

    /// Returns the last known text that is not after text `index` of an array: its index, and its offset. Returns `None`
    /// if that is the first.
    pub fn before(&self, start: u64, index: u64) -> Option<(u64, u64)> {
        let array = self.array(start).filter(|array| index < array.count)?;
        let position = usize::try_from((index / STEP).checked_sub(1)?).ok()?;
        Some((index / STEP * STEP, *array.places.get(position)?))
    }

    /// Adds an array, whose places `next` finds: it gets a number of texts, and returns the offset after them.
    ///
    /// # Errors
    /// Returns the error of `next`.
    pub fn add<E>(
        &mut self,
        start: u64,
        count: u64,
        mut next: impl FnMut(u64) -> Result<u64, E>,
    ) -> Result<(), E> {
        let mut places = Vec::new();
        let mut rest = count;
        while rest > 0 {
            let step = rest.min(STEP);
            places.push(next(step)?);
            rest -= step;
        }
        let array = ArrayPlaces {
            start,
            count,
            places,
        };
        self.arrays.push(array);
        Ok(())
    }

    fn array(&self, start: u64) -> Option<&ArrayPlaces> {
        self.arrays.iter().find(|array| array.start == start)
    }

    /// Returns the places as text: a line of numbers for each array.
    pub fn to_text(&self) -> String {
        let mut text = FORM.to_owned();
        for array in &self.arrays {
            text.push_str(&format!("\n{} {}", array.start, array.count));
            for place in &array.places {
                text.push_str(&format!(" {place}"));
            }
        }
        text
    }

    /// Reads the text that [`Self::to_text`] returns. Returns `None` if it has another form, or places that contradict
    /// each other.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        if lines.next()? != FORM {
            return None;
        }
        let arrays = lines.map(|line| {
            let numbers = line.split(' ').map(|number| number.parse().ok());
            let numbers: Vec<u64> = numbers.collect::<Option<_>>()?;
            let (&[start, count], places) = numbers.split_first_chunk()?;
            let is_complete = places.len() as u64 == count.div_ceil(STEP);
            let is_ordered = [start].iter().chain(places).is_sorted();
            (is_complete && is_ordered).then(|| ArrayPlaces {
                start,
                count,
                places: places.to_vec(),
            })
        });
        let arrays = arrays.collect::<Option<_>>()?;
        Some(Self { arrays })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places of an array of texts that take 10 bytes each.
    fn places(start: u64, count: u64) -> TextPlaces {
        let mut places = TextPlaces::default();
        let mut position = start;
        let next = |texts| {
            position += texts * 10;
            Ok::<_, ()>(position)
        };
        places.add(start, count, next).unwrap();
        places
    }

    #[test]
    fn a_text_is_found_from_the_one_before_it() {
        for count in [1, STEP - 1, STEP, STEP + 1, 3 * STEP, 3 * STEP + 7] {
            let places = places(50, count);
            assert_eq!(places.end(50, count), Some(50 + count * 10));
            assert_eq!(
                (places.end(51, count), places.end(50, count + 1)),
                (None, None)
            );
            for index in 0..count {
                let expected = index / STEP * STEP;
                let expected = (expected > 0).then_some((expected, 50 + expected * 10));
                assert_eq!(places.before(50, index), expected);
            }
            assert_eq!(places.before(50, count), None);
            assert_eq!(TextPlaces::parse(&places.to_text()), Some(places));
        }
    }

    #[test]
    fn places_that_contradict_each_other_are_not_used() {
        let text = "places-1\n5 2048 9 20";
        assert!(TextPlaces::parse(text).is_some());
        for (old, new) in [
            ("places-1", "places-2"),
            (" 20", ""),
            (" 20", " 20 30"),
            (" 20", " 8"),
            ("5 2048 9", "10 2048 9"),
            (" 20", " x"),
            (" 20", " -1"),
            ("5 2048 9 20", "5"),
            ("5 2048", "5 18446744073709551615"),
        ] {
            assert_eq!(TextPlaces::parse(&text.replace(old, new)), None, "{new}");
        }
    }
}
