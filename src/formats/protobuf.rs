//! Protocol buffers, read by wire type without a schema.

use std::fmt;

/// A message with its place in the file.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    pub bytes: &'a [u8],
    /// The offset of the first byte in the file.
    start: usize,
    is_file: bool,
}

/// The value of a field, by wire type. The deprecated groups are not read.
pub enum Value<'a> {
    Varint(u64),
    Fixed32(u32),
    Fixed64,
    Bytes(Message<'a>),
}

/// A field that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The number of the field; 0 if that cannot be read either.
    pub number: u64,
    /// The offset of the field in the file.
    pub start: usize,
    problem: Problem,
    /// True if the field is one of the whole file.
    is_in_file: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Problem {
    /// The message ends before the field does. `needed` is the end of the field, if the message has its length.
    Ends {
        end: usize,
        needed: Option<u64>,
    },
    LongVarint,
    WireType(u64),
    Number,
}

impl<'a> Message<'a> {
    /// Returns the message that a whole file is.
    pub fn file(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            start: 0,
            is_file: true,
        }
    }

    /// Returns the rest of a file from a field on; the whole file if it is shorter.
    pub fn from(self, start: usize) -> Self {
        match self.bytes.get(start..) {
            Some(bytes) => Self {
                bytes,
                start: self.start + start,
                ..self
            },
            None => self,
        }
    }

    /// Returns the fields in file order, as numbers and values. A field that cannot be read ends them.
    pub fn fields(self) -> Fields<'a> {
        Fields {
            rest: self.bytes,
            end: self.start + self.bytes.len(),
            is_file: self.is_file,
        }
    }
}

impl Fault {
    /// Returns the length that a file is cut off at, and the end of the field if that is known; `None` if the fault is
    /// another one.
    pub fn cut(&self) -> Option<(usize, Option<u64>)> {
        match self.problem {
            Problem::Ends { end, needed } if self.is_in_file => Some((end, needed)),
            _ => None,
        }
    }
}

impl fmt::Display for Fault {
    /// Writes the fault as a clause that begins with the field.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the field at byte {} ", self.start)?;
        match self.problem {
            Problem::Ends { end, needed } => {
                match needed {
                    Some(needed) => write!(formatter, "ends at byte {needed}")?,
                    None => formatter.write_str("is incomplete")?,
                }
                let whole = if self.is_in_file {
                    "the file"
                } else {
                    "its message"
                };
                write!(formatter, ", but {whole} ends at byte {end}")
            }
            Problem::LongVarint => formatter.write_str("has a number of more than 10 bytes"),
            Problem::WireType(other) => {
                write!(formatter, "has the wire type {other}, which does not exist")
            }
            Problem::Number => formatter.write_str("has the number 0"),
        }
    }
}

/// The fields of a message. A field that cannot be read yields its fault and ends the iteration.
pub struct Fields<'a> {
    rest: &'a [u8],
    /// The offset of the end of the message in the file.
    end: usize,
    is_file: bool,
}

impl Fields<'_> {
    /// Returns the offset of the next field in the file.
    pub fn offset(&self) -> usize {
        self.end - self.rest.len()
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Fault>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let start = self.end - self.rest.len();
        let mut number = 0;
        let field = self.read_field(&mut number).map_err(|problem| {
            self.rest = &[];
            Fault {
                number,
                start,
                problem,
                is_in_file: self.is_file,
            }
        });
        Some(field)
    }
}

impl<'a> Fields<'a> {
    #[inline]
    fn read_field(&mut self, number: &mut u64) -> Result<(u64, Value<'a>), Problem> {
        let tag = self.read_varint()?;
        *number = tag >> 3;
        if *number == 0 {
            return Err(Problem::Number);
        }
        let value = match tag & 7 {
            0 => Value::Varint(self.read_varint()?),
            1 => {
                self.take(8)?;
                Value::Fixed64
            }
            2 => {
                let length = self.read_varint()?;
                let start = self.end - self.rest.len();
                Value::Bytes(Message {
                    bytes: self.take(length)?,
                    start,
                    is_file: false,
                })
            }
            5 => {
                let bytes = self.take(4)?.try_into().unwrap_or_default();
                Value::Fixed32(u32::from_le_bytes(bytes))
            }
            other => return Err(Problem::WireType(other)),
        };
        Ok((*number, value))
    }

    #[inline]
    fn take(&mut self, length: u64) -> Result<&'a [u8], Problem> {
        let parts = usize::try_from(length)
            .ok()
            .and_then(|length| self.rest.split_at_checked(length));
        let Some((taken, rest)) = parts else {
            let start = self.end - self.rest.len();
            return Err(Problem::Ends {
                end: self.end,
                needed: Some(length.saturating_add(start as u64)),
            });
        };
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    fn read_varint(&mut self) -> Result<u64, Problem> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let Some((&byte, rest)) = self.rest.split_first() else {
                return Err(Problem::Ends {
                    end: self.end,
                    needed: None,
                });
            };
            self.rest = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Problem::LongVarint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(message: Message<'_>) -> Fault {
        message.fields().find_map(Result::err).unwrap()
    }

    #[test]
    fn faults_name_the_field_and_its_place() {
        for (bytes, sentence, cut) in [
            (
                &b"\x08\x01\x12\x05abc"[..],
                "the field at byte 2 ends at byte 9, but the file ends at byte 7",
                Some((7, Some(9))),
            ),
            (
                b"\x08\x01\x10\x80",
                "the field at byte 2 is incomplete, but the file ends at byte 4",
                Some((4, None)),
            ),
            (
                b"\x08\x01\x0f",
                "the field at byte 2 has the wire type 7, which does not exist",
                None,
            ),
            (b"\x02\x00", "the field at byte 0 has the number 0", None),
            (
                b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
                "the field at byte 0 has a number of more than 10 bytes",
                None,
            ),
            (
                b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
                "the field at byte 0 ends at byte 18446744073709551615, but the file ends at byte 11",
                Some((11, Some(u64::MAX))),
            ),
        ] {
            let fault = fault(Message::file(bytes));
            assert_eq!(fault.to_string(), sentence);
            assert_eq!(fault.cut(), cut);
        }
    }

    #[test]
    fn a_message_in_a_message_knows_its_place_in_the_file() {
        let file = b"\x08\x01\x12\x03\x0a\x09a";
        let inner = Message::file(file).fields().find_map(|field| match field {
            Ok((2, Value::Bytes(inner))) => Some(inner),
            _ => None,
        });
        let fault = fault(inner.unwrap());
        let sentence = "the field at byte 4 ends at byte 15, but its message ends at byte 7";
        assert_eq!(
            (fault.to_string(), fault.cut()),
            (sentence.to_owned(), None)
        );
    }
}
