//! The arguments of a call in a template, by position or by name.

use minijinja::value::{Kwargs, Value};
use minijinja::{Error, ErrorKind};

/// The arguments of a call.
pub struct CallArgs<'a> {
    /// The name of the function, for its errors.
    name: &'a str,
    positional: &'a [Value],
    named: Option<Kwargs>,
}

impl<'a> CallArgs<'a> {
    /// Splits the arguments of the function `name`, which has at most `most` of them.
    ///
    /// # Errors
    /// Fails if there are more.
    pub fn new(name: &'a str, args: &'a [Value], most: usize) -> Result<Self, Error> {
        let (positional, named) = match args.split_last() {
            Some((last, before)) if last.is_kwargs() => {
                (before, Some(Kwargs::try_from(last.clone())?))
            }
            _ => (args, None),
        };
        if positional.len() > most {
            return Err(Error::new(
                ErrorKind::TooManyArguments,
                format!(
                    "`{name}` takes at most {most} arguments, not {}",
                    positional.len()
                ),
            ));
        }
        Ok(Self {
            name,
            positional,
            named,
        })
    }

    /// Returns an argument; `None` if it is not given.
    pub fn get(&self, at: usize, name: &str) -> Result<Option<Value>, Error> {
        if let Some(value) = self.positional.get(at) {
            return Ok(Some(value.clone()));
        }
        match &self.named {
            Some(named) if named.has(name) => named.get::<Value>(name).map(Some),
            _ => Ok(None),
        }
    }

    /// Returns an argument; `None` if it is not given, or is `None` in the template.
    pub fn given(&self, at: usize, name: &str) -> Result<Option<Value>, Error> {
        let value = self.get(at, name)?;
        Ok(value.filter(|value| !value.is_none()))
    }

    /// Returns an argument that must be given.
    pub fn required(&self, at: usize, name: &str) -> Result<Value, Error> {
        self.get(at, name)?.ok_or_else(|| {
            let problem = format!("`{}` needs the argument `{name}`", self.name);
            Error::new(ErrorKind::MissingArgument, problem)
        })
    }

    /// Returns a string that must be given.
    pub fn text(&self, at: usize, name: &str) -> Result<Value, Error> {
        let value = self.required(at, name)?;
        match value.as_str() {
            Some(_) => Ok(value),
            None => Err(self.not_a("string", &value)),
        }
    }

    /// Returns an integer; `None` if it is not given, or is `None` in the template.
    pub fn integer(&self, at: usize, name: &str) -> Result<Option<i64>, Error> {
        let Some(value) = self.given(at, name)? else {
            return Ok(None);
        };
        let number = i64::try_from(value.clone());
        number.map(Some).map_err(|_| self.not_a("integer", &value))
    }

    /// Returns true if the argument is given, and true.
    pub fn is_true(&self, at: usize, name: &str) -> Result<bool, Error> {
        Ok(self.get(at, name)?.is_some_and(|value| value.is_true()))
    }

    /// Checks that every named argument was read.
    pub fn end(&self) -> Result<(), Error> {
        match &self.named {
            Some(named) => named.assert_all_used(),
            None => Ok(()),
        }
    }

    fn not_a(&self, kind: &str, value: &Value) -> Error {
        let problem = format!("`{}` expected a {kind}, found {}", self.name, value.kind());
        Error::new(ErrorKind::InvalidOperation, problem)
    }
}
