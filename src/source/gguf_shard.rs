//! The names of GGUF files in shards: `model-00001-of-00003.gguf`, as `llama-gguf-split` writes them.

/// The digits of the numbers in a name.
const DIGITS: usize = 5;
const EXTENSION: &str = ".gguf";

/// The name of one shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GgufShard<'n> {
    prefix: &'n str,
    /// From 1.
    pub number: u32,
    pub count: u32,
}

impl<'n> GgufShard<'n> {
    /// Parses a name; `None` if it is not that of a shard.
    pub fn parse(name: &'n str) -> Option<Self> {
        let (name, count) = number_at_end(name.strip_suffix(EXTENSION)?)?;
        let (prefix, number) = number_at_end(name.strip_suffix("-of-")?)?;
        let prefix = prefix.strip_suffix('-')?;
        (1..=count).contains(&number).then_some(Self {
            prefix,
            number,
            count,
        })
    }

    /// Returns the names of all shards of the file, in order.
    pub fn all(self) -> impl Iterator<Item = String> {
        let Self { prefix, count, .. } = self;
        (1..=count).map(move |number| format!("{prefix}-{number:05}-of-{count:05}{EXTENSION}"))
    }

    /// Returns true if both are shards of the same file.
    pub fn is_sibling(self, other: GgufShard) -> bool {
        (self.prefix, self.count) == (other.prefix, other.count)
    }
}

fn number_at_end(text: &str) -> Option<(&str, u32)> {
    let (rest, digits) = text.split_at_checked(text.len().checked_sub(DIGITS)?)?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok().map(|number| (rest, number)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_shard_gives_those_of_all_shards() {
        let shard = GgufShard::parse("q8/m-00002-of-00003.gguf").unwrap();
        assert_eq!((shard.number, shard.count), (2, 3));
        let names: Vec<String> = shard.all().collect();
        assert_eq!(
            names,
            [
                "q8/m-00001-of-00003.gguf",
                "q8/m-00002-of-00003.gguf",
                "q8/m-00003-of-00003.gguf"
            ]
        );
        let is_sibling = |name| GgufShard::parse(name).is_some_and(|other| shard.is_sibling(other));
        assert!(is_sibling("q8/m-00003-of-00003.gguf"));
        assert!(!is_sibling("q4/m-00003-of-00003.gguf"));
        assert!(!is_sibling("q8/m-00003-of-00004.gguf"));
    }

    #[test]
    fn other_names_are_no_shards() {
        for name in [
            "m.gguf",
            "m-00001-of-00003.bin",
            "m-00000-of-00003.gguf",
            "m-00004-of-00003.gguf",
            "m-0001-of-00003.gguf",
            "m-+0001-of-00003.gguf",
            "m00001-of-00003.gguf",
            "-of-00003.gguf",
            "é0001-of-00003.gguf",
        ] {
            assert_eq!(GgufShard::parse(name), None, "{name}");
        }
    }
}
