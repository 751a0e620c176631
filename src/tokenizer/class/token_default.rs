//! The special tokens that a class has by default.

/// A special token of a class.
#[derive(Debug, Clone, Copy)]
pub struct TokenDefault {
    /// The token if the files do not name one.
    pub text: Option<&'static str>,
    /// The rules of a token that is given as a bare text, by default or by the files.
    pub rules: Option<Rules>,
}

/// The rules that a class gives a token. All others are false.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    pub lstrip: bool,
    pub normalized: Option<bool>,
    pub special: bool,
}

pub const NONE: TokenDefault = TokenDefault {
    text: None,
    rules: None,
};

/// A default without rules.
pub const fn text(text: &'static str) -> TokenDefault {
    TokenDefault {
        text: Some(text),
        rules: None,
    }
}

/// A default that always has rules of its own, though none is set.
pub const fn plain(text: &'static str) -> TokenDefault {
    ruled(Some(text), false, None, false)
}

/// A mask token, which includes the white space before it.
pub const fn mask(text: &'static str) -> TokenDefault {
    ruled(Some(text), true, None, false)
}

/// A special token that is matched in the raw text.
pub const fn raw(text: Option<&'static str>) -> TokenDefault {
    ruled(text, false, Some(false), true)
}

pub const fn ruled(
    text: Option<&'static str>,
    lstrip: bool,
    normalized: Option<bool>,
    special: bool,
) -> TokenDefault {
    TokenDefault {
        text,
        rules: Some(Rules {
            lstrip,
            normalized,
            special,
        }),
    }
}
