//! Steps that split a text by single characters before its pattern is applied to the parts.

use super::kind_runs::KindSet;
use super::kinds::ascii_kind;
use super::rules::Rules;
use super::view::View;

/// Characters at which a text is cut, and the parts that they form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    pub set: KindSet,
    pub parts: Parts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    /// Runs, which are split further.
    Runs,
    /// Words of at most this many characters.
    Groups(usize),
    /// No words: the characters are dropped.
    Dropped,
}

/// The cuts of a text and the pattern that splits the parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cuts {
    /// The sets have no kind in common, so the order of the cuts does not matter.
    cuts: Vec<Cut>,
    /// The kinds that are in no cut.
    rest: KindSet,
    /// `None` if the parts are words.
    pub rules: Option<Rules>,
}

impl Cuts {
    /// Returns the cuts and the pattern. Returns `None` if two cuts have a kind in common.
    pub fn new(cuts: Vec<Cut>, rules: Option<Rules>) -> Option<Self> {
        let mut all: KindSet = 0;
        for cut in &cuts {
            if all & cut.set != 0 {
                return None;
            }
            all |= cut.set;
        }
        Some(Self {
            cuts,
            rest: !all,
            rules,
        })
    }

    /// Returns the kinds that form a part together with a character of this kind.
    pub fn part(&self, kind: KindSet) -> KindSet {
        self.cut(kind).map_or(self.rest, |cut| cut.set)
    }

    /// Returns the cut that a character of this kind is in. Returns `None` if it is in no cut.
    fn cut(&self, kind: KindSet) -> Option<&Cut> {
        self.cuts.iter().find(|cut| kind & cut.set != 0)
    }

    /// Returns the kinds that are in no cut.
    pub fn rest(&self) -> KindSet {
        self.rest
    }

    /// Returns true if a word always ends between these bytes of ASCII, and no word depends on both.
    pub fn always_splits(&self, before: u8, after: u8) -> bool {
        let cut = self.cut(ascii_kind(before));
        if cut != self.cut(ascii_kind(after)) {
            return true;
        }
        match cut.map_or(Parts::Runs, |cut| cut.parts) {
            Parts::Dropped => true,
            Parts::Groups(most) => most == 1,
            Parts::Runs => {
                let rules = self.rules.as_ref();
                rules.is_some_and(|rules| rules.always_splits(before, after))
            }
        }
    }

    /// Returns the first word at or after byte `at`, which must be the start of the text or the end of a word. Returns
    /// `None` if there is no word.
    pub fn next(&self, text: &[u8], mut at: usize) -> Option<(usize, usize)> {
        let all = View::new(text, !0);
        loop {
            let (kind, _) = all.kind(at);
            if kind == 0 {
                return None;
            }
            let cut = self.cut(kind);
            let part = cut.map_or(self.rest, |cut| cut.set);
            match cut.map_or(Parts::Runs, |cut| cut.parts) {
                Parts::Dropped => at = all.run(at, part),
                Parts::Groups(most) => return Some((at, all.run_of(at, part, most))),
                Parts::Runs => {
                    let part = View::new(text, part);
                    let Some(rules) = &self.rules else {
                        return Some((at, part.run(at, !0)));
                    };
                    match rules.next(part, at) {
                        Some(word) => return Some(word),
                        // The rest of the part is dropped.
                        None => at = part.run(at, !0),
                    }
                }
            }
        }
    }
}
