//! Recognizes the pre-tokenizers that have a scanner.

use memchr::memmem::Finder;
use serde_json::{Value, json};

use super::cuts::{Cut, Cuts, Parts};
use super::delimiters::{Behavior, Delimiter, Delimiters};
use super::kind_runs::{KANA_OR_HAN, KindSet, NUMBER, SPLIT_PUNCTUATION, WHITE, WORD};
use super::patterns::{GPT2, rules};
use super::rules::{Contractions, Rules, Suffix, White, Words};
use super::scanner::{Method, Scanner};
use crate::tokenizer::native::step_list::{name, steps_of};

#[cfg(test)]
mod tests;

/// A recognized pre-tokenizer.
#[derive(Debug, Clone)]
pub struct PreTokenizer {
    pub scanner: Scanner,
    /// The bytes of words are mapped to the characters of `ByteLevel`.
    pub byte_level: bool,
    /// A space is put before a text that does not start with one.
    pub add_prefix_space: bool,
}

impl PreTokenizer {
    /// Recognizes the `pre_tokenizer` of a `tokenizer.json`: one step, a sequence, or null, which leaves the text as one
    /// word. Returns `None` if any part is unknown.
    pub fn from_json(step: &Value) -> Option<Self> {
        let steps = steps_of(step, "pretokenizers")?;
        let mut sequence = Sequence::default();
        let rest = sequence.add_family(&steps);
        for step in rest {
            sequence.add(step)?;
        }
        sequence.finish()
    }
}

/// The steps so far.
#[derive(Debug, Default)]
struct Sequence {
    cuts: Vec<Cut>,
    rules: Option<Rules>,
    /// A method that no step other than `ByteLevel` may follow.
    other: Option<Method>,
    byte_level: bool,
    add_prefix_space: bool,
}

impl Sequence {
    /// Adds the steps that only one family has, and returns the steps after them.
    fn add_family<'s, 'a>(&mut self, steps: &'s [&'a Value]) -> &'s [&'a Value] {
        if let Some((first, rest)) = steps.split_at_checked(5)
            && first.iter().copied().eq(&deepseek_coder())
        {
            self.other = Some(Method::DeepSeekCoder);
            return rest;
        }
        if let [punctuation, byte_level, digits, thousands] = steps
            && [*punctuation, *digits, *thousands]
                .into_iter()
                .eq(&falcon())
        {
            let mut words = Self::default();
            let added = words.add(punctuation).and_then(|()| words.add(byte_level));
            let cuts = Cuts::new(words.cuts, words.rules);
            if let (Some(()), Some(cuts)) = (added, cuts)
                && cuts.rules == Some(GPT2)
            {
                self.other = Some(Method::Falcon(cuts));
                self.byte_level = true;
                return &[];
            }
        }
        steps
    }

    /// Adds a step. Returns `None` if it is unknown, or unknown in this place.
    fn add(&mut self, step: &Value) -> Option<()> {
        // A later step would look at mapped bytes.
        if self.byte_level {
            return None;
        }
        match name(step) {
            "ByteLevel" => self.add_byte_level(step),
            "Split" => self.add_split(step),
            "Digits" => {
                let parts = match step.get("individual_digits")?.as_bool()? {
                    true => Parts::Groups(1),
                    false => Parts::Runs,
                };
                self.add_digits(parts)
            }
            "Punctuation" => {
                let behavior = step.get("behavior").map(Behavior::from_json);
                let behavior = behavior.unwrap_or(Some(Behavior::Isolated))?;
                self.add_kinds(SPLIT_PUNCTUATION, behavior)
            }
            "BertPreTokenizer" => {
                self.add_kinds(WHITE, Behavior::Removed)?;
                self.add_kinds(SPLIT_PUNCTUATION, Behavior::Isolated)
            }
            "CharDelimiterSplit" => {
                let delimiter = step.get("delimiter")?.as_str()?;
                self.add_text(delimiter, Behavior::Removed)
            }
            "FixedLength" => {
                let length = step.get("length").map_or(Some(5), Value::as_u64)?;
                let parts =
                    Parts::Groups(usize::try_from(length).ok().filter(|length| *length > 0)?);
                let cut = Cut { set: !0, parts };
                self.add_other(Method::Cuts(Cuts::new(vec![cut], None)?))
            }
            "WhitespaceSplit" => self.add_kinds(WHITE, Behavior::Removed),
            "Whitespace" => self.add_rules(WORDS_AND_SYMBOLS),
            _ => None,
        }
    }

    fn add_byte_level(&mut self, step: &Value) -> Option<()> {
        let first = self.cuts.is_empty() && self.rules.is_none() && self.other.is_none();
        self.add_prefix_space = step.get("add_prefix_space")?.as_bool()?;
        step.get("trim_offsets")?.as_bool()?;
        // After another step, each part would get a space.
        if self.add_prefix_space && !first {
            return None;
        }
        if step.get("use_regex").map_or(Some(true), Value::as_bool)? {
            match &self.rules {
                // It splits the markers of CLIP and no other word; `Rules` knows.
                Some(rules) if rules.markers => {}
                _ => self.add_rules(GPT2)?,
            }
        } else if self.rules.is_some_and(|rules| rules.markers) {
            return None;
        }
        self.byte_level = true;
        Some(())
    }

    fn add_split(&mut self, step: &Value) -> Option<()> {
        let behavior = Behavior::from_json(step.get("behavior")?)?;
        let invert = step.get("invert")?.as_bool()?;
        let pattern = step.get("pattern")?.as_object()?;
        let (kind, pattern) = pattern.iter().next().filter(|_| pattern.len() == 1)?;
        match (kind.as_str(), pattern.as_str()?, behavior, invert) {
            ("String", pattern, behavior, false) => self.add_text(pattern, behavior),
            ("Regex", " ", behavior, false) => self.add_text(" ", behavior),
            ("Regex", r"\p{N}{1,3}", Behavior::Isolated, false) => {
                self.add_digits(Parts::Groups(3))
            }
            ("Regex", "[一-龥぀-ゟ゠-ヿ]+", Behavior::Isolated, false) => {
                self.add_cut(KANA_OR_HAN, Parts::Runs)
            }
            ("Regex", BLOOM, Behavior::Isolated, false) => self.add_other(Method::Bloom),
            ("Regex", pattern, Behavior::Isolated, false) => self.add_rules(rules(pattern)?),
            ("Regex", pattern, Behavior::Removed, true) => {
                let rules = rules(pattern)?;
                self.add_rules(Rules {
                    dropped: true,
                    ..rules
                })
            }
            _ => None,
        }
    }

    fn add_text(&mut self, text: &str, behavior: Behavior) -> Option<()> {
        if text.is_empty() {
            return None;
        }
        let finder = Box::new(Finder::new(text).into_owned());
        self.add_other(Method::Delimiters(Delimiters {
            delimiter: Delimiter::Text(finder),
            behavior,
        }))
    }

    /// Adds a split at single characters.
    fn add_kinds(&mut self, set: KindSet, behavior: Behavior) -> Option<()> {
        match behavior {
            Behavior::Removed => self.add_cut(set, Parts::Dropped),
            Behavior::Isolated => self.add_cut(set, Parts::Groups(1)),
            Behavior::Contiguous => self.add_cut(set, Parts::Runs),
            _ => self.add_other(Method::Delimiters(Delimiters {
                delimiter: Delimiter::Kinds(set),
                behavior,
            })),
        }
    }

    fn add_digits(&mut self, parts: Parts) -> Option<()> {
        // After a cut at numbers, no word has a number and another character.
        if let Some(cut) = self.cuts.iter_mut().find(|cut| cut.set == NUMBER) {
            if parts == Parts::Groups(1) {
                cut.parts = parts;
            }
            return (parts != Parts::Groups(3)).then_some(());
        }
        self.add_cut(NUMBER, parts)
    }

    fn add_cut(&mut self, set: KindSet, parts: Parts) -> Option<()> {
        if self.rules.is_some() || self.other.is_some() {
            return None;
        }
        self.cuts.push(Cut { set, parts });
        Some(())
    }

    fn add_rules(&mut self, rules: Rules) -> Option<()> {
        if self.rules.is_some() || self.other.is_some() {
            return None;
        }
        // Groups are words: the pattern neither splits nor drops them.
        let keeps = |cut: &Cut| match cut.parts {
            Parts::Groups(1) => !rules.dropped || cut.set & !rules.matched() == 0,
            Parts::Groups(_) => rules.keeps_groups(),
            Parts::Runs | Parts::Dropped => true,
        };
        if !self.cuts.iter().all(keeps) || rules.markers && !(rules.dropped && self.cuts.is_empty())
        {
            return None;
        }
        self.rules = Some(rules);
        Some(())
    }

    fn add_other(&mut self, method: Method) -> Option<()> {
        if !self.cuts.is_empty() || self.rules.is_some() || self.other.is_some() {
            return None;
        }
        self.other = Some(method);
        Some(())
    }

    fn finish(self) -> Option<PreTokenizer> {
        if self.rules.is_some_and(|rules| rules.markers) && !self.byte_level {
            return None;
        }
        let method = match (self.other, self.rules, self.cuts.is_empty()) {
            (Some(method), ..) => method,
            (None, None, true) => Method::Whole,
            (None, Some(rules), true) => Method::Rules(rules),
            (None, rules, false) => Method::Cuts(Cuts::new(self.cuts, rules)?),
        };
        Some(PreTokenizer {
            scanner: Scanner::new(method),
            byte_level: self.byte_level,
            add_prefix_space: self.add_prefix_space,
        })
    }
}

const BLOOM: &str = r" ?[^(\s|[.,!?…。，、।۔،])]+";

/// The steps of DeepSeek Coder before `ByteLevel`.
fn deepseek_coder() -> [Value; 5] {
    [
        isolated("[\r\n]"),
        isolated(r"\s?\p{L}+"),
        isolated(r"\s?\p{P}+"),
        isolated("[一-龥ࠀ-一가-퟿]+"),
        json!({"type": "Digits", "individual_digits": true}),
    ]
}

/// The steps of Falcon around `ByteLevel`.
fn falcon() -> [Value; 3] {
    [
        json!({"type": "Punctuation", "behavior": "Contiguous"}),
        json!({"type": "Digits", "individual_digits": false}),
        isolated("[0-9][0-9][0-9]"),
    ]
}

fn isolated(pattern: &str) -> Value {
    json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false})
}

/// The pattern of `Whitespace`, `\w+|[^\w\s]+`. It does not match white space, which is dropped.
const WORDS_AND_SYMBOLS: Rules = Rules {
    contractions: Contractions::None,
    words: Words::Run(WORD),
    prefix: 0,
    digits: 0,
    others: !(WORD | WHITE),
    spaced_others: false,
    suffix: Suffix::None,
    white: White::None,
    dropped: true,
    ..GPT2
};
