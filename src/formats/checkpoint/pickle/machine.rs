//! The stack machine that runs a pickle. It cannot call functions.

use super::error::{PickleError, too_many};
use super::forbidden::is_forbidden;
use super::global::Global;
use super::limits::{MAX_ARGUMENT_ENTRIES, MAX_CONTAINERS, MAX_OPCODES};
use super::opcode::Opcode;
use super::reader::Reader;
use super::stack::Stack;
use super::value::{Containers, DictId, Pickle, SequenceId, Value};

type Result<T> = std::result::Result<T, PickleError>;

impl<'a> Pickle<'a> {
    /// Reads the pickle at the start of `bytes`, which may continue after it.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let machine = Machine {
            input: Reader::new(bytes),
            stack: Stack::default(),
            argument_entries: 0,
            containers: Containers::default(),
        };
        machine.run()
    }
}

struct Machine<'a> {
    input: Reader<'a>,
    stack: Stack<'a>,
    /// Entries copied so far from arguments of `OrderedDict`.
    argument_entries: usize,
    containers: Containers<'a>,
}

impl<'a> Machine<'a> {
    /// Runs the program up to its STOP.
    fn run(mut self) -> Result<Pickle<'a>> {
        for _ in 0..MAX_OPCODES {
            self.stack.opcode_at = self.input.position();
            let byte = self.input.u8()?;
            let opcode = Opcode::from_byte(byte).ok_or(PickleError::UnknownOpcode {
                byte,
                at: self.stack.opcode_at,
            })?;
            if opcode == Opcode::Stop {
                return Ok(Pickle {
                    root: self.stack.pop()?,
                    length: self.input.position(),
                    containers: self.containers,
                });
            }
            self.step(opcode)?;
            if self.containers.len() > MAX_CONTAINERS {
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
            // A frame is only a hint for buffered reading, since its opcodes give their own lengths.
            Opcode::Frame => {
                self.input.u64()?;
            }

            Opcode::Mark => self.stack.mark()?,
            Opcode::Pop => {
                self.stack.pop()?;
            }
            Opcode::PopMark => {
                self.stack.pop_to_mark()?;
            }
            Opcode::BinGet => {
                let index = self.input.u8()?;
                self.stack.recall(index.into())?;
            }
            Opcode::LongBinGet => {
                let index = self.input.u32()?;
                self.stack.recall(index)?;
            }
            Opcode::BinPut => {
                let index = self.input.u8()?;
                self.stack.memoize(index.into())?;
            }
            Opcode::LongBinPut => {
                let index = self.input.u32()?;
                self.stack.memoize(index)?;
            }
            Opcode::Memoize => {
                self.stack.memoize_next()?;
            }

            Opcode::None => self.stack.push(Value::None)?,
            Opcode::NewTrue => self.stack.push(Value::Bool(true))?,
            Opcode::NewFalse => self.stack.push(Value::Bool(false))?,
            Opcode::BinInt => {
                let int = self.input.i32()?;
                self.stack.push(Value::Int(int.into()))?;
            }
            Opcode::BinInt1 => {
                let int = self.input.u8()?;
                self.stack.push(Value::Int(int.into()))?;
            }
            Opcode::BinInt2 => {
                let int = self.input.u16()?;
                self.stack.push(Value::Int(int.into()))?;
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
                self.stack.push(Value::Float(float))?;
            }
            Opcode::ShortBinUnicode => {
                let length = self.input.u8()?;
                self.string(length.into())?;
            }
            Opcode::BinUnicode => {
                let length = self.input.u32()?;
                self.string(length.into())?;
            }
            Opcode::BinUnicode8 => {
                let length = self.input.u64()?;
                self.string(length)?;
            }
            Opcode::ShortBinString => {
                let length = self.input.u8()?;
                self.string(length.into())?;
            }
            Opcode::BinString => {
                let length = self.input.u32()?;
                self.string(length.into())?;
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
                let items = self.stack.pop_to_mark()?;
                let id = self.containers.add_sequence(items);
                self.stack.push(Value::Tuple(id))?;
            }
            Opcode::EmptyList | Opcode::EmptySet => {
                let id = self.containers.add_sequence(Vec::new());
                self.stack.push(Value::List(id))?;
            }
            Opcode::FrozenSet => {
                let items = self.stack.pop_to_mark()?;
                let id = self.containers.add_sequence(items);
                self.stack.push(Value::List(id))?;
            }
            Opcode::Append => {
                let item = self.stack.pop()?;
                self.append(vec![item])?;
            }
            Opcode::Appends | Opcode::AddItems => {
                let items = self.stack.pop_to_mark()?;
                self.append(items)?;
            }
            Opcode::EmptyDict => {
                let id = self.containers.add_dict(Vec::new());
                self.stack.push(Value::Dict(id))?;
            }
            Opcode::SetItem => {
                let value = self.stack.pop()?;
                let key = self.stack.pop()?;
                self.set_items(&[key, value])?;
            }
            Opcode::SetItems => {
                let items = self.stack.pop_to_mark()?;
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
                let name = self.stack.pop_str()?;
                let module = self.stack.pop_str()?;
                self.global(module, name)?;
            }
            Opcode::Reduce | Opcode::NewObj => self.call()?,
            Opcode::NewObjEx => {
                // The keyword arguments.
                self.stack.pop()?;
                self.call()?;
            }
            // The state holds attributes that affect no row, such as `_metadata` of a state dict.
            Opcode::Build => {
                self.stack.pop()?;
                self.stack.top()?;
            }
            Opcode::BinPersId => self.persistent()?,
        }
        Ok(())
    }

    // --- objects -------------------------------------------------------------------------------------------------

    fn global(&mut self, module: &'a str, name: &'a str) -> Result<()> {
        if is_forbidden(module, name) {
            return Err(PickleError::GlobalNotAllowed {
                name: format!("{module}.{name}"),
            });
        }
        let value = match Global::find(module, name) {
            Some(global) => Value::Global(global),
            None => Value::Foreign(self.containers.foreign.add(module, name)?),
        };
        self.stack.push(value)
    }

    /// Pushes an object outside the pickle. Before torch 1.6, that can also be a class, with its source code.
    fn persistent(&mut self) -> Result<()> {
        let id = match self.stack.pop()? {
            Value::Tuple(id) => id,
            other => return Err(self.stack.wrong_kind(other, "a persistent id")),
        };
        if let &[Value::Str("module"), class @ Value::Foreign(_), ..] = self.containers.sequence(id)
        {
            return self.stack.push(class);
        }
        let id = self.containers.add_persistent_id(id);
        self.stack.push(Value::Persistent(id))
    }

    /// Records a call of a function, or the construction of an object. `OrderedDict` and `defaultdict` make a
    /// dictionary.
    fn call(&mut self) -> Result<()> {
        let arguments = match self.stack.pop()? {
            Value::Tuple(id) => id,
            other => return Err(self.stack.wrong_kind(other, "a tuple of arguments")),
        };
        match self.stack.pop()? {
            Value::Global(Global::OrderedDict) => {
                let entries = self.ordered_dict_entries(arguments)?;
                let id = self.containers.add_dict(entries);
                self.stack.push(Value::Dict(id))
            }
            Value::Global(Global::DefaultDict) => {
                let id = self.containers.add_dict(Vec::new());
                self.stack.push(Value::Dict(id))
            }
            Value::Global(global) => {
                let id = self.containers.add_call(global, arguments);
                self.stack.push(Value::Call(id))
            }
            // Methods and partial functions are objects, and can be called.
            Value::Foreign(id) | Value::Object(id) => self.stack.push(Value::Object(id)),
            other => Err(self.stack.wrong_kind(other, "a function")),
        }
    }

    /// Returns the entries passed to a call of `OrderedDict`. Python 3 passes none and fills the dictionary afterwards;
    /// Python 2 passes a list of `[key, value]` lists.
    fn ordered_dict_entries(
        &mut self,
        arguments: SequenceId,
    ) -> Result<Vec<(Value<'a>, Value<'a>)>> {
        let pairs = match self.containers.sequence(arguments) {
            [] => return Ok(Vec::new()),
            &[Value::List(pairs) | Value::Tuple(pairs)] => self.containers.sequence(pairs),
            &[other, ..] => return Err(self.stack.wrong_kind(other, "one list of pairs")),
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
                return Err(self.stack.wrong_kind(pair, "a pair"));
            };
            let &[key, value] = self.containers.sequence(id) else {
                return Err(self.stack.wrong_kind(pair, "a pair"));
            };
            entries.push((key, value));
        }
        self.argument_entries += entries.len();
        Ok(entries)
    }

    // --- containers ----------------------------------------------------------------------------------------------

    fn tuple_of_last(&mut self, length: usize) -> Result<()> {
        let mut items = (0..length)
            .map(|_| self.stack.pop())
            .collect::<Result<Vec<_>>>()?;
        items.reverse();
        let id = self.containers.add_sequence(items);
        self.stack.push(Value::Tuple(id))
    }

    fn append(&mut self, items: Vec<Value<'a>>) -> Result<()> {
        match self.stack.top()? {
            Value::List(SequenceId(index)) => {
                if let Some(list) = self.containers.sequences.get_mut(index) {
                    list.extend(items);
                }
                Ok(())
            }
            Value::Object(_) => Ok(()),
            other => Err(self.stack.wrong_kind(other, "a list")),
        }
    }

    fn set_items(&mut self, items: &[Value<'a>]) -> Result<()> {
        let (entries, rest) = items.as_chunks::<2>();
        if let Some(&key) = rest.first() {
            return Err(self.stack.wrong_kind(key, "a key with its value"));
        }
        match self.stack.top()? {
            Value::Dict(DictId(index)) => {
                if let Some(dict) = self.containers.dicts.get_mut(index) {
                    dict.extend(entries.iter().map(|&[key, value]| (key, value)));
                }
                Ok(())
            }
            // The content of an object affects no row.
            Value::Call(_) | Value::Object(_) => Ok(()),
            other => Err(self.stack.wrong_kind(other, "a dictionary")),
        }
    }

    // --- strings and numbers -------------------------------------------------------------------------------------

    /// Pushes a string. Names are text; other strings may be bytes of Python 2, or have half of a surrogate pair.
    fn string(&mut self, length: u64) -> Result<()> {
        let bytes = self.input.string(length)?;
        self.stack
            .push(str::from_utf8(bytes).map_or(Value::Bytes(bytes), Value::Str))
    }

    fn byte_string(&mut self, length: u64) -> Result<()> {
        let bytes = self.input.string(length)?;
        self.stack.push(Value::Bytes(bytes))
    }

    /// Pushes an integer in little-endian two's complement of any length; an empty one is zero.
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
        self.stack.push(value)
    }

    // --- errors --------------------------------------------------------------------------------------------------

    fn utf8(&self, bytes: &'a [u8]) -> Result<&'a str> {
        str::from_utf8(bytes).map_err(|_| PickleError::NotUtf8 {
            at: self.stack.opcode_at,
        })
    }
}
