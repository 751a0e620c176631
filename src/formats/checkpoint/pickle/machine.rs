//! The pickle stack machine, without its ability to call.

use std::collections::HashMap;

use super::opcode::Opcode;
use super::reader::Reader;
use super::{
    DictId, Global, MAX_ARGUMENT_ENTRIES, MAX_CONTAINERS, MAX_MARKS, MAX_MEMO, MAX_OPCODES,
    MAX_STACK, Pickle, PickleError, SequenceId, Value, Values, too_many,
};

type Result<T> = std::result::Result<T, PickleError>;

pub struct Machine<'a> {
    input: Reader<'a>,
    /// Where the opcode in hand is, for error sentences.
    opcode_at: usize,
    stack: Vec<Value<'a>>,
    /// Heights of the stack at which a mark was set.
    marks: Vec<usize>,
    memo: HashMap<u32, Value<'a>>,
    /// Entries copied so far out of arguments of `OrderedDict`.
    argument_entries: usize,
    values: Values<'a>,
}

impl<'a> Machine<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            input: Reader::new(bytes),
            opcode_at: 0,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            argument_entries: 0,
            values: Values::default(),
        }
    }

    /// Runs the program up to its STOP.
    pub fn run(mut self) -> Result<Pickle<'a>> {
        for _ in 0..MAX_OPCODES {
            self.opcode_at = self.input.position();
            let byte = self.input.u8()?;
            let opcode = Opcode::from_byte(byte).ok_or(PickleError::UnknownOpcode {
                byte,
                at: self.opcode_at,
            })?;
            if opcode == Opcode::Stop {
                return Ok(Pickle {
                    root: self.pop()?,
                    length: self.input.position(),
                    values: self.values,
                });
            }
            self.step(opcode)?;
            if self.values.containers() > MAX_CONTAINERS {
                return Err(too_many("containers", MAX_CONTAINERS));
            }
        }
        Err(too_many("opcodes", MAX_OPCODES))
    }

    fn step(&mut self, opcode: Opcode) -> Result<()> {
        match opcode {
            Opcode::Stop => {}
            Opcode::Proto => match self.input.u8()? {
                2..=5 => {}
                protocol => return Err(PickleError::UnknownProtocol { protocol }),
            },
            // A frame is a hint for buffered reading; the opcodes in it say how long they are.
            Opcode::Frame => {
                self.input.u64()?;
            }

            Opcode::Mark => self.mark()?,
            Opcode::Pop => {
                self.pop()?;
            }
            Opcode::PopMark => {
                self.pop_to_mark()?;
            }
            Opcode::BinGet => {
                let index = self.input.u8()?;
                self.recall(index.into())?;
            }
            Opcode::LongBinGet => {
                let index = self.input.u32()?;
                self.recall(index)?;
            }
            Opcode::BinPut => {
                let index = self.input.u8()?;
                self.memoize(index.into())?;
            }
            Opcode::LongBinPut => {
                let index = self.input.u32()?;
                self.memoize(index)?;
            }
            Opcode::Memoize => {
                let index = u32::try_from(self.memo.len())
                    .map_err(|_| too_many("memoised values", MAX_MEMO))?;
                self.memoize(index)?;
            }

            Opcode::None => self.push(Value::None)?,
            Opcode::NewTrue => self.push(Value::Bool(true))?,
            Opcode::NewFalse => self.push(Value::Bool(false))?,
            Opcode::BinInt => {
                let int = self.input.i32()?;
                self.push(Value::Int(int.into()))?;
            }
            Opcode::BinInt1 => {
                let int = self.input.u8()?;
                self.push(Value::Int(int.into()))?;
            }
            Opcode::BinInt2 => {
                let int = self.input.u16()?;
                self.push(Value::Int(int.into()))?;
            }
            Opcode::Long1 => {
                let length = self.input.u8()?;
                self.long(length.into())?;
            }
            Opcode::Long4 => {
                let length = self.input.u32()?;
                self.long(length.into())?;
            }
            Opcode::BinFloat => {
                let float = self.input.f64()?;
                self.push(Value::Float(float))?;
            }
            Opcode::ShortBinUnicode => {
                let length = self.input.u8()?;
                self.unicode(length.into())?;
            }
            Opcode::BinUnicode => {
                let length = self.input.u32()?;
                self.unicode(length.into())?;
            }
            Opcode::BinUnicode8 => {
                let length = self.input.u64()?;
                self.unicode(length)?;
            }
            Opcode::ShortBinString => {
                let length = self.input.u8()?;
                self.python2_string(length.into())?;
            }
            Opcode::BinString => {
                let length = self.input.u32()?;
                self.python2_string(length.into())?;
            }
            Opcode::ShortBinBytes => {
                let length = self.input.u8()?;
                self.byte_string(length.into())?;
            }
            Opcode::BinBytes => {
                let length = self.input.u32()?;
                self.byte_string(length.into())?;
            }
            Opcode::BinBytes8 | Opcode::ByteArray8 => {
                let length = self.input.u64()?;
                self.byte_string(length)?;
            }

            Opcode::EmptyTuple => self.tuple_of_last(0)?,
            Opcode::Tuple1 => self.tuple_of_last(1)?,
            Opcode::Tuple2 => self.tuple_of_last(2)?,
            Opcode::Tuple3 => self.tuple_of_last(3)?,
            Opcode::Tuple => {
                let items = self.pop_to_mark()?;
                let id = self.values.add_sequence(items);
                self.push(Value::Tuple(id))?;
            }
            Opcode::EmptyList | Opcode::EmptySet => {
                let id = self.values.add_sequence(Vec::new());
                self.push(Value::List(id))?;
            }
            Opcode::FrozenSet => {
                let items = self.pop_to_mark()?;
                let id = self.values.add_sequence(items);
                self.push(Value::List(id))?;
            }
            Opcode::Append => {
                let item = self.pop()?;
                self.append(vec![item])?;
            }
            Opcode::Appends | Opcode::AddItems => {
                let items = self.pop_to_mark()?;
                self.append(items)?;
            }
            Opcode::EmptyDict => {
                let id = self.values.add_dict(Vec::new());
                self.push(Value::Dict(id))?;
            }
            Opcode::SetItem => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.set_items(&[key, value])?;
            }
            Opcode::SetItems => {
                let items = self.pop_to_mark()?;
                self.set_items(&items)?;
            }

            Opcode::Global => {
                let module = self.input.line()?;
                let module = self.utf8(module)?;
                let name = self.input.line()?;
                let name = self.utf8(name)?;
                self.global(module, name)?;
            }
            Opcode::StackGlobal => {
                let name = self.pop_str()?;
                let module = self.pop_str()?;
                self.global(module, name)?;
            }
            Opcode::Reduce => self.reduce()?,
            // The state is an attribute that no row depends on, such as `_metadata` of a state dict.
            Opcode::Build => {
                self.pop()?;
                self.top()?;
            }
            Opcode::BinPersId => {
                let id = match self.pop()? {
                    Value::Tuple(id) => id,
                    other => return Err(self.wrong_kind(other, "a persistent id")),
                };
                let id = self.values.add_persistent_id(id);
                self.push(Value::Persistent(id))?;
            }
        }
        Ok(())
    }

    // --- objects -------------------------------------------------------------------------------------------------

    fn global(&mut self, module: &str, name: &str) -> Result<()> {
        let global = Global::find(module, name).ok_or_else(|| PickleError::GlobalNotAllowed {
            name: format!("{module}.{name}"),
        })?;
        self.push(Value::Global(global))
    }

    /// A call is recorded; the one of `OrderedDict` is a new dictionary.
    fn reduce(&mut self) -> Result<()> {
        let arguments = match self.pop()? {
            Value::Tuple(id) => id,
            other => return Err(self.wrong_kind(other, "a tuple of arguments")),
        };
        match self.pop()? {
            Value::Global(Global::OrderedDict) => {
                let entries = self.ordered_dict_entries(arguments)?;
                let id = self.values.add_dict(entries);
                self.push(Value::Dict(id))
            }
            Value::Global(global) => {
                let id = self.values.add_call(global, arguments);
                self.push(Value::Call(id))
            }
            other => Err(self.wrong_kind(other, "a function")),
        }
    }

    /// Python 3 fills an `OrderedDict` after its creation; Python 2 passes a list of `[key, value]` lists.
    fn ordered_dict_entries(
        &mut self,
        arguments: SequenceId,
    ) -> Result<Vec<(Value<'a>, Value<'a>)>> {
        let pairs = match self.values.sequence(arguments) {
            [] => return Ok(Vec::new()),
            &[Value::List(pairs) | Value::Tuple(pairs)] => self.values.sequence(pairs),
            &[other, ..] => return Err(self.wrong_kind(other, "one list of pairs")),
        };
        if self.argument_entries + pairs.len() > MAX_ARGUMENT_ENTRIES {
            return Err(too_many(
                "entries in arguments of OrderedDict",
                MAX_ARGUMENT_ENTRIES,
            ));
        }
        let mut entries = Vec::with_capacity(pairs.len());
        for &pair in pairs {
            let (Value::List(id) | Value::Tuple(id)) = pair else {
                return Err(self.wrong_kind(pair, "a pair"));
            };
            let &[key, value] = self.values.sequence(id) else {
                return Err(self.wrong_kind(pair, "a pair"));
            };
            entries.push((key, value));
        }
        self.argument_entries += entries.len();
        Ok(entries)
    }

    // --- containers ----------------------------------------------------------------------------------------------

    fn tuple_of_last(&mut self, length: usize) -> Result<()> {
        let mut items = (0..length)
            .map(|_| self.pop())
            .collect::<Result<Vec<_>>>()?;
        items.reverse();
        let id = self.values.add_sequence(items);
        self.push(Value::Tuple(id))
    }

    fn append(&mut self, items: Vec<Value<'a>>) -> Result<()> {
        match self.top()? {
            Value::List(SequenceId(index)) => {
                if let Some(list) = self.values.sequences.get_mut(index) {
                    list.extend(items);
                }
                Ok(())
            }
            other => Err(self.wrong_kind(other, "a list")),
        }
    }

    fn set_items(&mut self, items: &[Value<'a>]) -> Result<()> {
        let (entries, rest) = items.as_chunks::<2>();
        if let Some(&key) = rest.first() {
            return Err(self.wrong_kind(key, "a key with its value"));
        }
        match self.top()? {
            Value::Dict(DictId(index)) => {
                if let Some(dict) = self.values.dicts.get_mut(index) {
                    dict.extend(entries.iter().map(|&[key, value]| (key, value)));
                }
                Ok(())
            }
            // An attribute of an object: no row depends on it.
            Value::Call(_) => Ok(()),
            other => Err(self.wrong_kind(other, "a dictionary")),
        }
    }

    // --- stack and memo ------------------------------------------------------------------------------------------

    fn push(&mut self, value: Value<'a>) -> Result<()> {
        if self.stack.len() >= MAX_STACK {
            return Err(too_many("values on its stack", MAX_STACK));
        }
        self.stack.push(value);
        Ok(())
    }

    /// The height of the stack below which the innermost open container must not reach.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Result<Value<'a>> {
        self.stack
            .last()
            .filter(|_| self.stack.len() > self.floor())
            .copied()
            .ok_or(PickleError::EmptyStack { at: self.opcode_at })
    }

    fn pop(&mut self) -> Result<Value<'a>> {
        let value = self.top()?;
        self.stack.pop();
        Ok(value)
    }

    fn pop_str(&mut self) -> Result<&'a str> {
        match self.pop()? {
            Value::Str(text) => Ok(text),
            other => Err(self.wrong_kind(other, "a name")),
        }
    }

    fn mark(&mut self) -> Result<()> {
        if self.marks.len() >= MAX_MARKS {
            return Err(too_many("open marks", MAX_MARKS));
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value<'a>>> {
        let mark = self
            .marks
            .pop()
            .filter(|&mark| mark <= self.stack.len())
            .ok_or(PickleError::NoMark { at: self.opcode_at })?;
        // `split_off` would hand out the capacity of the whole stack with every container.
        Ok(self.stack.drain(mark..).collect())
    }

    fn memoize(&mut self, index: u32) -> Result<()> {
        let value = self.top()?;
        if self.memo.len() >= MAX_MEMO {
            return Err(too_many("memoised values", MAX_MEMO));
        }
        self.memo.insert(index, value);
        Ok(())
    }

    fn recall(&mut self, index: u32) -> Result<()> {
        let value = self.memo.get(&index).copied().ok_or(PickleError::NoMemo {
            index,
            at: self.opcode_at,
        })?;
        self.push(value)
    }

    // --- strings and numbers -------------------------------------------------------------------------------------

    fn unicode(&mut self, length: u64) -> Result<()> {
        let bytes = self.input.string(length)?;
        let text = self.utf8(bytes)?;
        self.push(Value::Str(text))
    }

    /// A `str` of Python 2 is bytes; names are ASCII.
    fn python2_string(&mut self, length: u64) -> Result<()> {
        let bytes = self.input.string(length)?;
        self.push(str::from_utf8(bytes).map_or(Value::Bytes(bytes), Value::Str))
    }

    fn byte_string(&mut self, length: u64) -> Result<()> {
        let bytes = self.input.string(length)?;
        self.push(Value::Bytes(bytes))
    }

    /// Little-endian two's complement of any length; none is zero.
    fn long(&mut self, length: u64) -> Result<()> {
        let bytes = self.input.string(length)?;
        let negative = bytes.last().is_some_and(|&byte| byte >= 0x80);
        let mut wide = if negative { [0xff; 8] } else { [0; 8] };
        let value = match wide.get_mut(..bytes.len()) {
            Some(low) => {
                low.copy_from_slice(bytes);
                Value::Int(i64::from_le_bytes(wide))
            }
            None => Value::BigInt(bytes),
        };
        self.push(value)
    }

    // --- errors --------------------------------------------------------------------------------------------------

    fn utf8(&self, bytes: &'a [u8]) -> Result<&'a str> {
        str::from_utf8(bytes).map_err(|_| PickleError::NotUtf8 { at: self.opcode_at })
    }

    fn wrong_kind(&self, found: Value<'a>, wanted: &'static str) -> PickleError {
        PickleError::WrongKind {
            found: found.kind(),
            wanted,
            at: self.opcode_at,
        }
    }
}
