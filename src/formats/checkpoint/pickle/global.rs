//! The functions and classes that tensors need.

use crate::formats::checkpoint::dtype::Dtype;

/// A function or class with a known effect on the layout of a tensor. None of them is ever called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Global {
    OrderedDict,
    DefaultDict,
    /// Arguments: storage, offset, size, stride.
    RebuildTensor,
    /// Further arguments: requires_grad, backward_hooks, metadata.
    RebuildTensorV2,
    /// The storage has no dtype; further arguments: requires_grad, backward_hooks, dtype, metadata.
    RebuildTensorV3,
    /// First argument: the tensor.
    RebuildParameter,
    /// Arguments: a function that makes a tensor, the tensor's class, the function's arguments, attributes.
    RebuildFromType,
    Size,
    Device,
    UntypedStorage,
    /// A storage class of quantized elements, and their size in bytes.
    QuantizedStorage(&'static str, u64),
    /// A storage class of `torch`, such as `torch.HalfStorage`.
    Storage(Dtype),
    /// A `torch.dtype`, such as `torch.float16`.
    Dtype(Dtype),
    /// A `torch.dtype` that is not a [`Dtype`].
    OtherDtype(&'static str),
}

/// The globals besides the storages and dtypes of `dtype.rs`: module, name, meaning.
const GLOBALS: &[(&str, &str, Global)] = &[
    ("collections", "OrderedDict", Global::OrderedDict),
    ("collections", "defaultdict", Global::DefaultDict),
    ("torch._utils", "_rebuild_tensor", Global::RebuildTensor),
    (
        "torch._utils",
        "_rebuild_tensor_v2",
        Global::RebuildTensorV2,
    ),
    (
        "torch._utils",
        "_rebuild_tensor_v3",
        Global::RebuildTensorV3,
    ),
    (
        "torch._utils",
        "_rebuild_parameter",
        Global::RebuildParameter,
    ),
    (
        "torch._utils",
        "_rebuild_parameter_with_state",
        Global::RebuildParameter,
    ),
    ("torch.nn.parameter", "Parameter", Global::RebuildParameter),
    (
        "torch._tensor",
        "_rebuild_from_type_v2",
        Global::RebuildFromType,
    ),
    ("torch", "Size", Global::Size),
    ("torch", "device", Global::Device),
    ("torch.storage", "UntypedStorage", Global::UntypedStorage),
];

/// Types of `torch` that are not a [`Dtype`]. A tensor of such a type is skipped, and the rest of its file is read.
const OTHER_DTYPES: &[&str] = &[
    "complex32",
    "float4_e2m1fn_x2",
    "float8_e4m3fnuz",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
];

/// Storage classes of `torch` for quantized elements, with their size in bytes.
const QUANTIZED_STORAGES: &[(&str, u64)] = &[
    ("QInt8Storage", 1),
    ("QUInt8Storage", 1),
    ("QInt32Storage", 4),
    ("QUInt4x2Storage", 1),
    ("QUInt2x4Storage", 1),
];

impl Global {
    /// Returns the global with this module and name, or `None` if tensors do not need it.
    pub fn find(module: &str, name: &str) -> Option<Self> {
        if let Some(line) = GLOBALS
            .iter()
            .find(|line| line.0 == module && line.1 == name)
        {
            return Some(line.2);
        }
        match module {
            "torch" => Dtype::from_torch_storage(name)
                .map(Self::Storage)
                .or_else(|| Dtype::from_torch_dtype(name).map(Self::Dtype))
                .or_else(|| {
                    let other = OTHER_DTYPES.iter().find(|&&other| other == name)?;
                    Some(Self::OtherDtype(other))
                })
                .or_else(|| {
                    let &(class, size) = QUANTIZED_STORAGES.iter().find(|line| line.0 == name)?;
                    Some(Self::QuantizedStorage(class, size))
                }),
            "torch.cuda" => Dtype::from_torch_storage(name).map(Self::Storage),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_globals_in_the_tables_are_known() {
        assert_eq!(Global::find("torch", "Size"), Some(Global::Size));
        assert_eq!(
            Global::find("torch.cuda", "BFloat16Storage"),
            Some(Global::Storage(Dtype::BF16))
        );
        assert_eq!(
            Global::find("torch", "float8_e8m0fnu"),
            Some(Global::OtherDtype("float8_e8m0fnu"))
        );
        assert_eq!(
            Global::find("torch", "uint16"),
            Some(Global::Dtype(Dtype::U16))
        );
        for (module, name) in [
            ("os", "system"),
            ("torch", "load"),
            ("torch", "_utils._rebuild_tensor_v2"),
            ("torch._utils", "HalfStorage"),
            ("collections", "ordereddict"),
            ("builtins", "eval"),
            ("", ""),
        ] {
            assert_eq!(Global::find(module, name), None, "{module}.{name}");
        }
    }
}
