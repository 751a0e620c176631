use super::pickled::{MATRIX, Pickled, dict, pickle, string};
use super::*;
use crate::formats::checkpoint::dtype::Dtype;

fn names(opcodes: &[u8]) -> Vec<String> {
    let bytes = pickle(opcodes);
    let object = TorchObject::read("f", &Pickle::read(&bytes).unwrap()).unwrap();
    object
        .tensors
        .into_iter()
        .map(|tensor| tensor.name)
        .collect()
}

fn refused(opcodes: &[u8]) -> String {
    let bytes = pickle(opcodes);
    let error = TorchObject::read("f", &Pickle::read(&bytes).unwrap()).unwrap_err();
    error.to_string()
}

/// Returns the tensor in a dictionary that holds `value` as "w".
fn tensor(value: Vec<u8>) -> StoredTensor {
    let bytes = pickle(&dict(&[("w", value)]));
    let object = TorchObject::read("f", &Pickle::read(&bytes).unwrap()).unwrap();
    object.tensors.into_iter().next().unwrap()
}

#[test]
fn a_tensor_is_a_view_of_its_storage() {
    let found = tensor(
        Pickled {
            elements: 20,
            offset: 4,
            strides: &[3, 1],
            ..MATRIX
        }
        .opcodes(),
    );
    assert_eq!(found.name, "w");
    assert_eq!(found.dtype, Dtype::F16);
    assert_eq!((found.shape, found.strides), (vec![3, 2], vec![3, 1]));
    assert_eq!(found.span, 8..8 + 2 * (2 * 3 + 1 + 1));
}

#[test]
fn tensors_are_named_by_their_keys() {
    let w = || MATRIX.opcodes();
    assert_eq!(names(&dict(&[("a.b", w()), ("c", w())])), ["a.b", "c"]);
    // The key of a wrapper is left out of the names, wherever it is. The keys of the dictionaries next to it are not.
    let nested = dict(&[
        ("epoch", b"K\x03".to_vec()),
        ("optimizer", dict(&[("state", dict(&[("exp_avg", w())]))])),
        ("model", dict(&[("a", w()), ("deep", dict(&[("b", w())]))])),
        ("ema", dict(&[("a", w())])),
        ("list", [b"](", w().as_slice(), b"e"].concat()),
    ]);
    assert_eq!(
        names(&nested),
        ["optimizer.state.exp_avg", "a", "deep.b", "ema.a"]
    );
    // With two wrappers, only the first in the table is left out. At deeper levels, wrapper keys are ordinary names.
    let both = dict(&[
        ("model", dict(&[("a", w())])),
        (
            "state_dict",
            dict(&[("a", w()), ("x", dict(&[("model", w())]))]),
        ),
    ]);
    assert_eq!(names(&both), ["model.a", "a", "x.model"]);
    // A tensor under such a key is not a wrapper.
    assert_eq!(names(&dict(&[("model", w())])), ["model"]);
    // Numbers can be keys.
    let numbered = [b"}K\x07".as_slice(), &w(), b"s"].concat();
    assert_eq!(names(&dict(&[("state", numbered)])), ["state.7"]);
    assert_eq!(names(b"}"), [""; 0]);
}

#[test]
fn every_way_to_write_a_tensor_is_read() {
    let expected = tensor(MATRIX.opcodes());
    let hooks = b"\x89ccollections\nOrderedDict\n)R".as_slice();
    assert_eq!(tensor(MATRIX.call("_rebuild_tensor", b"", b"")), expected);
    let parameter = [
        b"ctorch._utils\n_rebuild_parameter\n(".as_slice(),
        &MATRIX.opcodes(),
        b"\x88}tR",
    ];
    assert_eq!(tensor(parameter.concat()), expected);
    // torch.Size instead of a tuple.
    let size = [
        b"ctorch._utils\n_rebuild_tensor_v2\n(".as_slice(),
        &MATRIX.storage(b""),
        b"K\x00ctorch\nSize\nK\x03K\x02\x86\x85RK\x02K\x01\x86",
        hooks,
        b"tR",
    ];
    assert_eq!(tensor(size.concat()), expected);

    let untyped = Pickled {
        class: "torch.storage.UntypedStorage",
        elements: 12,
        ..MATRIX
    };
    let dtype = [hooks, b"ctorch\nuint16\n"].concat();
    let found = tensor(untyped.call("_rebuild_tensor_v3", b"", &dtype));
    assert_eq!((found.dtype, found.span), (Dtype::U16, 0..12));
}

#[test]
fn a_view_of_a_legacy_storage_moves_the_offset() {
    let view = [string("v").as_slice(), b"K\x08K\x0a\x87"].concat();
    let storage = Pickled {
        elements: 20,
        offset: 1,
        ..MATRIX
    };
    let found = tensor(storage.call("_rebuild_tensor_v2", &view, b"\x89}"));
    assert_eq!(found.span, 18..30);
    let none = tensor(storage.call("_rebuild_tensor_v2", b"N", b"\x89}"));
    assert_eq!(none.span, 2..14);

    let beyond = [string("v").as_slice(), b"K\x0bK\x0a\x87"].concat();
    assert_eq!(
        refused(&dict(&[(
            "w",
            storage.call("_rebuild_tensor_v2", &beyond, b"\x89}")
        )])),
        "f is damaged: storage `0` is shorter than a view of it"
    );
    let short = [string("v").as_slice(), b"K\x08K\x06\x87"].concat();
    assert_eq!(
        refused(&dict(&[(
            "w",
            storage.call("_rebuild_tensor_v2", &short, b"\x89}")
        )])),
        "f is damaged: tensor `w` reaches to byte 14 of a storage of 12 bytes"
    );
}

#[test]
fn unreadable_tensors_are_skipped_by_name() {
    let foreign = Pickled {
        class: "torch.storage.UntypedStorage",
        key: "1",
        elements: 12,
        ..MATRIX
    }
    .call("_rebuild_tensor_v3", b"", b"\x89}ctorch\nfloat8_e8m0fnu\n");
    let negated = MATRIX.call(
        "_rebuild_tensor_v2",
        b"",
        &[b"\x89}}".as_slice(), &string("neg"), b"\x88s"].concat(),
    );
    let bytes = pickle(&dict(&[("a", foreign), ("b", negated)]));
    let object = TorchObject::read("f", &Pickle::read(&bytes).unwrap()).unwrap();
    assert!(object.tensors.is_empty());
    let skipped: Vec<String> = object
        .skipped
        .iter()
        .map(|tensor| format!("tensor {} {}", tensor.name, tensor.reason))
        .collect();
    assert_eq!(
        skipped,
        [
            "tensor a is of the type `torch.float8_e8m0fnu`",
            "tensor b has the flag `neg`, which is not supported",
        ]
    );
}

#[test]
fn objects_beside_tensors_are_listed_as_skipped() {
    let object = || b"cargparse\nNamespace\n)\x81}b".to_vec();
    let sparse = b"ctorch._utils\n_rebuild_sparse_tensor\n)R".to_vec();
    let subclass =
        b"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\nca\nT\n)}tR";
    let bytes = pickle(&dict(&[
        ("args", object()),
        ("w", MATRIX.opcodes()),
        ("sparse", sparse),
        ("subclass", subclass.to_vec()),
    ]));
    let object_of = |bytes: &[u8]| {
        TorchObject::read("f", &Pickle::read(bytes).unwrap()).map(|object| {
            let skipped = object.skipped.iter();
            let skipped = skipped.map(|tensor| format!("{} {}", tensor.name, tensor.reason));
            (object.tensors.len(), skipped.collect::<Vec<_>>())
        })
    };
    let (tensors, skipped) = object_of(&bytes).unwrap();
    assert_eq!(tensors, 1);
    assert_eq!(
        skipped,
        [
            "args is an object of `argparse.Namespace`, not a tensor",
            "sparse is sparse, which is not supported",
            "subclass is an object of `a.T`, not a tensor",
        ]
    );
    assert_eq!(
        object_of(&pickle(&dict(&[("model", object())])))
            .unwrap_err()
            .to_string(),
        "f is not supported: its pickle has no tensors: `model` is an object of `argparse.Namespace`, not a tensor"
    );
}

#[test]
fn a_tensor_with_attributes_is_read() {
    let expected = tensor(MATRIX.opcodes());
    let call = MATRIX.call(
        "_rebuild_tensor_v2",
        b"",
        b"\x89ccollections\nOrderedDict\n)R",
    );
    // The same arguments in a tuple, without the function before them and the call after them.
    let arguments = call
        .strip_prefix(b"ctorch._utils\n_rebuild_tensor_v2\n")
        .unwrap();
    let arguments = arguments.strip_suffix(b"R").unwrap();
    for class in ["ctorch\nTensor\n", "ctorch.nn.parameter\nParameter\n"] {
        let tagged = [
            b"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\n",
            class.as_bytes(),
            arguments,
            b"}\x8c\x03tag\x88stR",
        ];
        assert_eq!(tensor(tagged.concat()), expected);
    }
}

#[test]
fn a_storage_of_an_unknown_class_is_not_supported() {
    let foreign = Pickled {
        class: "NewStorage",
        ..MATRIX
    };
    assert_eq!(
        refused(&dict(&[("w", foreign.opcodes())])),
        "f is not supported: its pickle has a storage of the class `torch.NewStorage`"
    );
    let quantized = Pickled {
        class: "QInt8Storage",
        ..MATRIX
    };
    let both = pickle(&dict(&[
        ("q", quantized.opcodes()),
        ("w", Pickled { key: "1", ..MATRIX }.opcodes()),
    ]));
    let object = TorchObject::read("f", &Pickle::read(&both).unwrap()).unwrap();
    assert_eq!((object.tensors.len(), object.skipped.len()), (1, 1));
    assert_eq!(
        object.skipped[0].reason,
        "is quantized (`torch.QInt8Storage`), which is not supported"
    );
}

#[test]
fn contradictory_tensors_are_refused() {
    let refused_tensor = |tensor: &Pickled<'_>| refused(&dict(&[("w", tensor.opcodes())]));
    assert_eq!(
        refused_tensor(&Pickled {
            elements: 5,
            ..MATRIX
        }),
        "f is damaged: tensor `w` reaches to byte 12 of a storage of 10 bytes"
    );
    assert_eq!(
        refused_tensor(&Pickled {
            offset: 1,
            ..MATRIX
        }),
        "f is damaged: tensor `w` reaches to byte 14 of a storage of 12 bytes"
    );
    assert_eq!(
        refused_tensor(&Pickled {
            offset: -1,
            ..MATRIX
        }),
        "f is damaged: tensor `w` has an offset that is not a number of elements"
    );
    assert_eq!(
        refused_tensor(&Pickled {
            shape: &[3, -2],
            ..MATRIX
        }),
        "f is damaged: tensor `w` has a size that is not a list of up to 64 numbers"
    );
    assert_eq!(
        refused_tensor(&Pickled {
            strides: &[2, -1],
            ..MATRIX
        }),
        "f is damaged: tensor `w` has strides that are not a list of up to 64 numbers"
    );
    assert_eq!(
        refused_tensor(&Pickled {
            strides: &[2],
            ..MATRIX
        }),
        "f is damaged: tensor `w` has 2 sizes and 1 strides"
    );
    assert_eq!(
        refused_tensor(&Pickled {
            shape: &[i32::MAX; 3],
            strides: &[0; 3],
            ..MATRIX
        }),
        "f is damaged: tensor `w` of shape [2147483647, 2147483647, 2147483647] with strides [0, 0, 0] is too large \
         for 64-bit sizes"
    );
    assert_eq!(
        refused_tensor(&Pickled {
            shape: &[1; 65],
            strides: &[1; 65],
            ..MATRIX
        }),
        "f is damaged: tensor `w` has a size that is not a list of up to 64 numbers"
    );
    assert_eq!(
        refused(&dict(&[("w", MATRIX.opcodes()), ("w", MATRIX.opcodes())])),
        "f is damaged: two tensors have the name `w`"
    );
    assert_eq!(
        refused(&dict(&[(&"w".repeat(2000), MATRIX.opcodes())])),
        format!(
            "f is damaged: the tensor name `{}…` has more than 1024 bytes",
            "w".repeat(96)
        )
    );
    let other = Pickled {
        elements: 7,
        ..MATRIX
    };
    assert_eq!(
        refused(&dict(&[("a", MATRIX.opcodes()), ("b", other.opcodes())])),
        "f is damaged: storage `0` is described in two different ways"
    );
    assert_eq!(
        refused(b"\x8c\x06module\x85Q0}"),
        "f is damaged: its pickle has a persistent id that is not a storage"
    );
    assert_eq!(
        refused(&MATRIX.opcodes()),
        "f is not supported: its pickle holds an object, not a dictionary of tensors"
    );
    assert_eq!(
        refused(&dict(&[(
            "w",
            b"ctorch._utils\n_rebuild_tensor_v2\n)R".to_vec()
        )])),
        "f is damaged: tensor `w` is not made of a storage, an offset, a size and strides"
    );
}

#[test]
fn storages_too_large_for_64_bit_sizes_are_refused() {
    let dictionary = |class: &str| {
        let storage = [
            b"(\x8c\x07storagectorch\n".as_slice(),
            class.as_bytes(),
            b"\n\x8c\x010\x8c\x03cpu\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7ftQ",
        ];
        let call = [
            b"ctorch._utils\n_rebuild_tensor_v2\n(".as_slice(),
            &storage.concat(),
            b"K\x00K\x01\x85K\x01\x85tR",
        ];
        dict(&[("w", call.concat())])
    };
    // i64::MAX elements: the size of as many halves just fits in 64 bits, that of doubles does not.
    assert_eq!(names(&dictionary("HalfStorage")), ["w"]);
    assert_eq!(
        refused(&dictionary("DoubleStorage")),
        "f is damaged: storage `0` is too large for 64-bit sizes"
    );
}

#[test]
fn walks_are_bounded() {
    // A dictionary that contains itself.
    assert_eq!(
        refused(b"}q\x00\x8c\x01ah\x00s"),
        "f is damaged: it has more than 32 levels of nested dictionaries"
    );
    // {a: x, b: x} of {a: x, b: x} of …, 25 deep: 2^25 paths.
    let mut bomb = b"}q\x00".to_vec();
    bomb.extend(b"}(\x8c\x01ah\x00\x8c\x01bh\x00uq\x00".repeat(25));
    assert_eq!(
        refused(&bomb),
        "f is damaged: it has more than 1048576 entries in its dictionaries"
    );
    // A parameter of a parameter of …
    let mut nested = b"ctorch._utils\n_rebuild_parameter\nq\x000N".to_vec();
    nested.extend(b"q\x010h\x00h\x01\x85R".repeat(1000));
    assert_eq!(names(&dict(&[("w", nested)])), [""; 0]);
}
