//! Objects of a torch checkpoint that are not tensors, or tensors that cannot be read.

use crate::formats::checkpoint::pickle::{Pickle, Value};
use crate::formats::quote::quote;

/// Functions of torch that make tensors without plain elements: name, and the end of the sentence "tensor NAME …".
const OTHER_TENSORS: &[(&str, &str)] = &[
    ("_rebuild_sparse_tensor", "is sparse"),
    ("_rebuild_sparse_csr_tensor", "is sparse"),
    ("_rebuild_nested_tensor", "is nested"),
    ("_rebuild_qtensor", "is quantized"),
    ("_rebuild_meta_tensor_no_storage", "has no elements"),
    ("_rebuild_wrapper_subclass", "is of a class of its own"),
    ("_rebuild_device_tensor_from_numpy", "is on another device"),
    (
        "_rebuild_device_tensor_from_cpu_tensor",
        "is on another device",
    ),
    ("_rebuild_xla_tensor", "is on another device"),
    ("_rebuild_mlc_tensor", "is on another device"),
];

/// Returns the name of an object's class, or of the function that would make it, in quotes; `None` for other values.
pub fn class<'a>(pickle: &Pickle<'a>, value: Value<'a>) -> Option<String> {
    let (module, name) = pickle.foreign(value)?;
    Some(quote(&format!("{module}.{name}")))
}

/// Returns why an object is not a tensor that can be read, as the end of the sentence "tensor NAME …"; `None` for other
/// values.
pub fn reason<'a>(pickle: &Pickle<'a>, value: Value<'a>) -> Option<String> {
    let (module, name) = pickle.foreign(value)?;
    let is_torch = module == "torch" || module.starts_with("torch.");
    let tensor = OTHER_TENSORS.iter().find(|line| is_torch && line.0 == name);
    Some(match tensor {
        Some((_, kind)) => format!("{kind}, which is not supported"),
        None => format!(
            "is an object of {}, not a tensor",
            quote(&format!("{module}.{name}"))
        ),
    })
}
