use proptest::prelude::*;

use super::limits::{MAX_FOREIGN, MAX_GLOBAL_NAME, MAX_MARKS, MAX_MEMO, MAX_OPCODES, MAX_STACK};
use super::value::{CallId, DictId, PersistentId, SequenceId};
use super::*;

/// A pickle of protocol 2: PROTO, `body`, STOP.
fn pickle(body: &[u8]) -> Vec<u8> {
    [b"\x80\x02", body, b"."].concat()
}

fn refused(bytes: &[u8]) -> String {
    Pickle::read(bytes).unwrap_err().to_string()
}

/// Returns a value as text, with the content of its containers. The value must be a tree.
fn shown(pickle: &Pickle<'_>, value: Value<'_>) -> String {
    let list = |values: &[Value<'_>]| {
        let shown: Vec<String> = values.iter().map(|&value| shown(pickle, value)).collect();
        shown.join(" ")
    };
    match value {
        Value::Tuple(SequenceId(id)) => format!("({})", list(&pickle.containers.sequences[id])),
        Value::List(SequenceId(id)) => format!("[{}]", list(&pickle.containers.sequences[id])),
        Value::Dict(DictId(id)) => {
            let entries = &pickle.containers.dicts[id];
            let flat: Vec<Value<'_>> = entries.iter().flat_map(|&(k, v)| [k, v]).collect();
            format!("{{{}}}", list(&flat))
        }
        Value::Call(CallId(id)) => {
            let (global, SequenceId(arguments)) = pickle.containers.calls[id];
            format!(
                "{global:?}({})",
                list(&pickle.containers.sequences[arguments])
            )
        }
        Value::Persistent(PersistentId(id)) => {
            let SequenceId(id) = pickle.containers.persistent_ids[id];
            format!("@{}", list(&pickle.containers.sequences[id]))
        }
        Value::Foreign(_) | Value::Object(_) => {
            let (module, name) = pickle.foreign(value).unwrap();
            let brackets = if matches!(value, Value::Object(_)) {
                "()"
            } else {
                ""
            };
            format!("{module}.{name}{brackets}")
        }
        Value::Int(int) => int.to_string(),
        Value::Str(text) => text.to_owned(),
        other => format!("{other:?}"),
    }
}

#[track_caller]
fn assert_reads_as(body: &[u8], expected: &str) {
    let bytes = pickle(body);
    let pickle = Pickle::read(&bytes).unwrap();
    assert_eq!(shown(&pickle, pickle.root), expected);
    assert_eq!(pickle.length, bytes.len());
}

#[test]
fn numbers_and_strings_are_read() {
    assert_reads_as(b"N", "None");
    assert_reads_as(b"\x88", "Bool(true)");
    assert_reads_as(b"\x89", "Bool(false)");
    assert_reads_as(b"K\xff", "255");
    assert_reads_as(b"M\x00\x01", "256");
    assert_reads_as(b"J\xfe\xff\xff\xff", "-2");
    assert_reads_as(b"\x8a\x00", "0");
    assert_reads_as(b"\x8a\x01\xff", "-1");
    assert_reads_as(b"\x8a\x02\xff\x00", "255");
    assert_reads_as(
        b"\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80",
        "-9223372036854775808",
    );
    assert_reads_as(
        b"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00",
        "BigInt([0, 0, 0, 0, 0, 0, 0, 128, 0])",
    );
    assert_reads_as(b"\x8b\x01\x00\x00\x00\x07", "7");
    assert_reads_as(b"G\x3f\xf8\x00\x00\x00\x00\x00\x00", "Float(1.5)");
    assert_reads_as(b"X\x02\x00\x00\x00\xc3\xa9", "é");
    assert_reads_as(b"\x8c\x01a", "a");
    assert_reads_as(b"\x8d\x01\x00\x00\x00\x00\x00\x00\x00a", "a");
    assert_reads_as(b"U\x01a", "a");
    assert_reads_as(b"U\x01\xff", "Bytes([255])");
    assert_reads_as(b"T\x01\x00\x00\x00a", "a");
    assert_reads_as(b"C\x01a", "Bytes([97])");
    assert_reads_as(b"B\x01\x00\x00\x00a", "Bytes([97])");
    assert_reads_as(b"\x8e\x01\x00\x00\x00\x00\x00\x00\x00a", "Bytes([97])");
    assert_reads_as(b"\x96\x01\x00\x00\x00\x00\x00\x00\x00a", "Bytes([97])");
}

#[test]
fn containers_and_memoized_values_are_read() {
    assert_reads_as(b"K\x01K\x02K\x03\x87", "(1 2 3)");
    assert_reads_as(b"K\x01\x85K\x02K\x03\x86\x86", "((1) (2 3))");
    assert_reads_as(b")", "()");
    assert_reads_as(b"(K\x01(K\x02tt", "(1 (2))");
    assert_reads_as(b"](K\x01K\x02eK\x03a", "[1 2 3]");
    assert_reads_as(b"\x8f(K\x01\x90", "[1]");
    assert_reads_as(b"(K\x01\x91", "[1]");
    assert_reads_as(b"}(K\x01K\x02uK\x03K\x04s", "{1 2 3 4}");
    assert_reads_as(b"K\x01q\x05K\x020h\x05\x86", "(1 1)");
    assert_reads_as(b"K\x01r\x00\x01\x00\x00j\x00\x01\x00\x00\x86", "(1 1)");
    // A list that is changed after it was memoized: both uses see the change.
    assert_reads_as(b"]q\x00h\x00K\x01a\x86", "([1] [1])");
    // The first MEMOIZE uses index 0. POP_MARK drops the values after the mark.
    assert_reads_as(
        b"\x95\x09\x00\x00\x00\x00\x00\x00\x00K\x07\x94(N1h\x00\x86",
        "(7 7)",
    );
}

#[test]
fn calls_are_recorded() {
    assert_reads_as(b"ccollections\nOrderedDict\n)R(K\x01K\x02u", "{1 2}");
    assert_reads_as(
        b"ccollections\nOrderedDict\n](](K\x01K\x02eK\x03K\x04\x86e\x85R",
        "{1 2 3 4}",
    );
    assert_reads_as(b"ccollections\nOrderedDict\n)R}K\x01K\x02sb", "{}");
    assert_reads_as(b"ctorch\nSize\nK\x03K\x04\x86\x85R", "Size((3 4))");
    assert_reads_as(b"\x8c\x05torch\x8c\x04Size\x93)R", "Size()");
    assert_reads_as(b"\x8c\x07storage\x85Q", "@storage");
    assert_reads_as(b"ctorch\nSize\n)R(\x8c\x01aNu", "Size()");
}

#[test]
fn other_functions_and_classes_make_objects_without_content() {
    // REDUCE, NEWOBJ and NEWOBJ_EX, each with a state, items and entries.
    assert_reads_as(b"ca.b\nC\n(K\x01tR}b", "a.b.C()");
    assert_reads_as(b"ca.b\nC\n)\x81(K\x01e(K\x01K\x02u", "a.b.C()");
    assert_reads_as(
        b"\x8c\x01a\x8c\x03C.D\x93)}\x92K\x01aK\x01K\x02s(K\x01\x90",
        "a.C.D()",
    );
    assert_reads_as(b"ca\nf\nca\nf\n\x86", "(a.f a.f)");
    // A method, which is called.
    assert_reads_as(b"cbuiltins\ngetattr\n(K\x01tR)R", "builtins.getattr()");
    assert_reads_as(
        b"ccollections\ndefaultdict\ncbuiltins\nlist\n\x85RK\x01]s",
        "{1 []}",
    );
    // A class with its source code.
    assert_reads_as(b"(\x8c\x06moduleca\nC\n\x8c\x04a.pyNtQ)\x81", "a.C()");
    assert_reads_as(b"\x8c\x03\xed\xb2\x80", "Bytes([237, 178, 128])");
}

#[test]
fn a_pickle_ends_at_its_stop() {
    let bytes = [pickle(b"K\x01"), pickle(b"K\x02")].concat();
    let first = Pickle::read(&bytes).unwrap();
    assert_eq!(first.length, 5);
    assert_eq!(Pickle::read(&bytes[5..]).unwrap().root, Value::Int(2));
}

#[test]
fn forbidden_globals_are_named() {
    let message = "its pickle refers to `os.system`, which is not allowed";
    assert_eq!(refused(b"\x80\x02cos\nsystem\n\x8c\x02id\x85R."), message);
    assert_eq!(refused(b"\x80\x04\x8c\x02os\x8c\x06system\x93."), message);
    assert_eq!(
        refused(b"\x80\x02c__builtin__\neval\n."),
        "its pickle refers to `__builtin__.eval`, which is not allowed"
    );
}

#[test]
fn malformed_pickles_are_refused() {
    let refused_body = |body: &[u8]| refused(&pickle(body));
    assert_eq!(refused(b""), "its pickle ends early, after 0 bytes");
    assert_eq!(
        refused(b"\x80\x01N."),
        "its pickle has protocol 1, but only protocols 2 to 5 are supported"
    );
    assert_eq!(
        refused_body(b"\x82"),
        "its pickle has 0x82 at byte 2, which is not an opcode of a checkpoint"
    );
    assert_eq!(
        refused_body(b""),
        "its pickle pops a value from an empty stack at byte 2"
    );
    assert_eq!(
        refused_body(b"K\x01(\x85"),
        "its pickle pops a value from an empty stack at byte 5"
    );
    assert_eq!(
        refused_body(b"t"),
        "its pickle has no mark for the opcode at byte 2"
    );
    assert_eq!(
        refused_body(b"h\x07"),
        "its pickle refers at byte 2 to value 7 of the memo, which does not exist"
    );
    assert_eq!(
        refused_body(b"K\x01K\x02a"),
        "its pickle has an integer at byte 6, expected a list"
    );
    assert_eq!(
        refused_body(b"](K\x01K\x02u"),
        "its pickle has a list at byte 8, expected a dictionary"
    );
    assert_eq!(
        refused_body(b"}(K\x01u"),
        "its pickle has an integer at byte 6, expected a key with its value"
    );
    assert_eq!(
        refused_body(b"N)R"),
        "its pickle has None at byte 4, expected a function"
    );
    assert_eq!(
        refused_body(b"ctorch\nSize\n]R"),
        "its pickle has a list at byte 15, expected a tuple of arguments"
    );
    assert_eq!(
        refused_body(b"ccollections\nOrderedDict\nN\x85R"),
        "its pickle has None at byte 29, expected one list of pairs"
    );
    assert_eq!(
        refused_body(b"NQ"),
        "its pickle has None at byte 3, expected a persistent id"
    );
    assert_eq!(
        refused_body(b"c\xff\na\n"),
        "its pickle has a string at byte 2 that is not UTF-8"
    );
    assert_eq!(
        refused_body(b"\x8c\x01\xff\x8c\x01a\x93"),
        "its pickle has bytes at byte 8, expected a name"
    );
    assert_eq!(
        refused_body(b"K\x01)\x81"),
        "its pickle has an integer at byte 5, expected a function"
    );
}

#[test]
fn declared_lengths_are_not_trusted() {
    for body in [
        b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff".as_slice(),
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"X\xff\xff\xff\xff",
        b"\x8b\xff\xff\xff\xff",
        b"T\xff\xff\xff\xff",
    ] {
        assert_eq!(
            refused(&pickle(body)),
            "its pickle has more than 67108864 bytes in one string"
        );
    }
    assert_eq!(
        refused(&pickle(b"X\xff\xff\x00\x00")),
        "its pickle ends early, after 8 bytes"
    );
}

#[test]
fn limits_are_enforced() {
    let too_many = |body: &[u8]| refused(&pickle(body));
    assert_eq!(
        too_many(&b"N0".repeat(MAX_OPCODES / 2)),
        "its pickle has more than 2097152 opcodes"
    );
    assert_eq!(
        too_many(&b"N".repeat(MAX_STACK + 1)),
        "its pickle has more than 131072 values on its stack"
    );
    assert_eq!(
        too_many(&b"(".repeat(MAX_MARKS + 1)),
        "its pickle has more than 1000 open marks"
    );
    assert_eq!(
        too_many(&[b"N".as_slice(), &b"\x94".repeat(MAX_MEMO + 1)].concat()),
        "its pickle has more than 1048576 memoized values"
    );
    assert_eq!(
        too_many(&[b"c".as_slice(), &b"a".repeat(MAX_GLOBAL_NAME)].concat()),
        "its pickle has more than 512 bytes in the name of a global"
    );
    let mut classes = Vec::new();
    for number in 0..=MAX_FOREIGN {
        classes.extend(format!("ca\nC{number}\n0").bytes());
    }
    assert_eq!(
        too_many(&classes),
        "its pickle has more than 65536 functions and classes"
    );
    // One list of 2000 pairs, passed to 1000 calls.
    let mut body = b"](".to_vec();
    body.extend(b"NN\x86".repeat(2000));
    body.extend(b"e\x85q\x00ccollections\nOrderedDict\nq\x010");
    body.extend(b"h\x01h\x00R0".repeat(1000));
    assert_eq!(
        too_many(&body),
        "its pickle has more than 1048576 entries in arguments of OrderedDict"
    );
}

#[test]
fn deep_nesting_and_sharing_cost_no_memory() {
    // A tuple in a tuple in a tuple …: neither reading nor dropping recurses.
    let deep = pickle(&[b"N".as_slice(), &b"\x85".repeat(1_000_000)].concat());
    assert!(matches!(Pickle::read(&deep).unwrap().root, Value::Tuple(_)));

    // ((x x) (x x)) …: 2^1000 leaves if values were copied.
    let mut bomb = b"Nq\x00".to_vec();
    bomb.extend(b"h\x00h\x00\x86q\x00".repeat(1000));
    let bomb = pickle(&bomb);
    assert_eq!(
        Pickle::read(&bomb).unwrap().containers.sequences.len(),
        1000
    );

    // A list that contains itself.
    let cycle = pickle(b"]q\x00h\x00a");
    let cycle = Pickle::read(&cycle).unwrap();
    assert_eq!(cycle.items(cycle.root), Some([cycle.root].as_slice()));
}

#[test]
fn a_container_does_not_keep_the_capacity_of_the_stack() {
    let mut body = b"(".to_vec();
    body.extend(b"N".repeat(100_000));
    body.extend(b"t0(Nt");
    let bytes = pickle(&body);
    let pickle = Pickle::read(&bytes).unwrap();
    assert_eq!(pickle.containers.sequences[1].capacity(), 1);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Pickle::read(&bytes);
        let _ = Pickle::read(&pickle(&bytes));
    }

    #[test]
    fn arbitrary_opcodes_never_panic(
        opcodes in prop::collection::vec((0..opcode::Opcode::ALL.len(), any::<[u8; 3]>()), 0..60)
    ) {
        let body: Vec<u8> = opcodes
            .iter()
            .flat_map(|&(index, [a, b, c])| [opcode::Opcode::ALL[index].0, a & 3, b, c])
            .collect();
        let _ = Pickle::read(&pickle(&body));
    }
}
