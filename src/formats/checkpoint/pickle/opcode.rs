//! The opcodes that pickles of checkpoints use, with their names in Python's `pickletools`.

/// Declares [`Opcode`] and its conversion from a byte.
macro_rules! opcodes {
    ($($name:ident = $byte:literal,)*) => {
        /// An instruction of the pickle machine.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Opcode { $($name,)* }

        impl Opcode {
            /// Returns the opcode with this byte, or `None` if checkpoints do not use it.
            pub fn from_byte(byte: u8) -> Option<Self> {
                match byte {
                    $($byte => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// All opcodes with their bytes.
            #[cfg(test)]
            pub const ALL: &[(u8, Self)] = &[$(($byte, Self::$name),)*];
        }
    };
}

opcodes! {
    // The frame of the program.
    Proto = 0x80,
    Frame = 0x95,
    Stop = b'.',
    // The stack and the memo.
    Mark = b'(',
    Pop = b'0',
    PopMark = b'1',
    BinGet = b'h',
    LongBinGet = b'j',
    BinPut = b'q',
    LongBinPut = b'r',
    Memoize = 0x94,
    // Plain values.
    None = b'N',
    NewTrue = 0x88,
    NewFalse = 0x89,
    BinInt = b'J',
    BinInt1 = b'K',
    BinInt2 = b'M',
    Long1 = 0x8a,
    Long4 = 0x8b,
    BinFloat = b'G',
    BinUnicode = b'X',
    ShortBinUnicode = 0x8c,
    BinUnicode8 = 0x8d,
    BinString = b'T',
    ShortBinString = b'U',
    BinBytes = b'B',
    ShortBinBytes = b'C',
    BinBytes8 = 0x8e,
    ByteArray8 = 0x96,
    // Containers.
    EmptyTuple = b')',
    Tuple1 = 0x85,
    Tuple2 = 0x86,
    Tuple3 = 0x87,
    Tuple = b't',
    EmptyList = b']',
    Append = b'a',
    Appends = b'e',
    EmptySet = 0x8f,
    AddItems = 0x90,
    FrozenSet = 0x91,
    EmptyDict = b'}',
    SetItem = b's',
    SetItems = b'u',
    // Objects.
    Global = b'c',
    StackGlobal = 0x93,
    Reduce = b'R',
    NewObj = 0x81,
    NewObjEx = 0x92,
    Build = b'b',
    BinPersId = b'Q',
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_opcode_has_one_byte() {
        for &(byte, opcode) in Opcode::ALL {
            assert_eq!(Opcode::from_byte(byte), Some(opcode));
        }
        let read = (0..=u8::MAX).filter_map(Opcode::from_byte).count();
        assert_eq!(read, Opcode::ALL.len());
    }

    #[test]
    fn other_opcodes_that_create_objects_are_unknown() {
        // INST, OBJ, EXT1, EXT2, EXT4, PERSID, NEXT_BUFFER, READONLY_BUFFER
        for byte in [b'i', b'o', 0x82, 0x83, 0x84, b'P', 0x97, 0x98] {
            assert_eq!(Opcode::from_byte(byte), None);
        }
    }
}
