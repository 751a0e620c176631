//! Rows of 8-bit elements: floats by themselves, or floats and integers with the scales of compressed-tensors.
//!
//! compressed-tensors quantizes a layer `Embedding` if its configuration targets it. Beside `weight`, the checkpoint has
//! `weight_scale`, and `weight_zero_point` unless the quantization is symmetric. Both have one value, one for each row,
//! or one for each group of columns in a row. A value is `(element - zero_point) * scale` in the type of the scale
//! (`_dequantize` in its `lifecycle/forward.py`).

use std::ops::Range;
use std::sync::Arc;

use half::{bf16, f16};

use super::computed_rows::ComputeRows;
use super::elements::append_f32;
use crate::error::{Error, Result};
use crate::formats::checkpoint::{Checkpoint, Dtype, TensorInfo};
use crate::source::ByteSource;

/// The ends of the names of the factors, and of the zero points.
const SCALES: &str = "weight_scale";
const ZERO_POINTS: &str = "weight_zero_point";
/// The ends of names of tensors that scale a matrix in other ways: blocks of fine-grained 8-bit floats, and bitsandbytes
/// with 8 and with 4 bits, for which transformers 4.48.3 replaces only linear layers.
const OTHER_SCALES: [&str; 3] = ["weight_scale_inv", "SCB", "weight.absmax"];

/// The rule that computes the rows.
#[derive(Debug)]
pub struct ScaledRows {
    file: Arc<dyn ByteSource>,
    elements: TensorInfo,
    columns: u64,
    scales: Option<Scales>,
    zero_points: Option<Scales>,
}

/// Factors of a matrix, or its zero points.
#[derive(Debug)]
struct Scales {
    tensor: TensorInfo,
    /// One value for all rows.
    is_single: bool,
    /// Values for each row.
    per_row: u64,
}

/// Returns the names of the tensors that scale a matrix of elements of 8 bits, if there are any.
pub fn scale_names(matrix: &str) -> impl Iterator<Item = String> {
    let module = matrix.strip_suffix("weight").into_iter();
    module.flat_map(|module| {
        let ends = [SCALES, ZERO_POINTS].into_iter().chain(OTHER_SCALES);
        ends.map(move |end| format!("{module}{end}"))
    })
}

impl ScaledRows {
    /// Returns the rule, if a matrix has elements that it reads: 8-bit floats, or 8-bit integers with scales.
    ///
    /// # Errors
    /// Fails with [`Error::Unsupported`] if the scales have a form that is not known.
    pub fn find(
        file: &Arc<dyn ByteSource>,
        checkpoint: &Checkpoint,
        elements: &TensorInfo,
    ) -> Result<Option<Self>> {
        let is_float = matches!(elements.dtype, Dtype::F8_E4M3 | Dtype::F8_E5M2);
        let [rows, columns] = elements.shape[..] else {
            return Ok(None);
        };
        if !is_float && elements.dtype != Dtype::I8 || elements.strides != [columns, 1] {
            return Ok(None);
        }
        let Some(module) = elements.name.strip_suffix("weight") else {
            return Ok(None);
        };
        for end in OTHER_SCALES {
            let name = format!("{module}{end}");
            if checkpoint.find(&name).is_some() {
                let problem = format!(
                    "{} is scaled by {name}, whose form is not supported",
                    elements.name
                );
                return Err(Error::unsupported(file.name(), problem));
            }
        }
        let find = |end: &str| {
            let header = checkpoint.find(&format!("{module}{end}"));
            let scales = header.map(|header| {
                let tensor = header.locate(file.as_ref())?;
                Scales::new(file.as_ref(), tensor, rows, columns)
            });
            scales.transpose()
        };
        let scales = find(SCALES)?;
        let zero_points = find(ZERO_POINTS)?;
        if scales.is_none() && (!is_float || zero_points.is_some()) {
            return Ok(None);
        }
        let is_known = |scales: &Option<Scales>, types: &[Dtype]| {
            let dtype = scales.as_ref().map(|scales| scales.tensor.dtype);
            dtype.is_none_or(|dtype| types.contains(&dtype))
        };
        let floats = [Dtype::F32, Dtype::BF16, Dtype::F16];
        if !is_known(&scales, &floats) || !is_known(&zero_points, &[Dtype::I8]) {
            let problem = format!(
                "the scales of {} are not F32, BF16 or F16, or its zero points not I8",
                elements.name
            );
            return Err(Error::unsupported(file.name(), problem));
        }
        Ok(Some(Self {
            file: Arc::clone(file),
            elements: elements.clone(),
            columns,
            scales,
            zero_points,
        }))
    }

    /// Returns true if the elements are multiplied.
    pub fn is_scaled(&self) -> bool {
        self.scales.is_some()
    }

    fn value(&self, element: f32, zero_point: f32, scale: f32) -> f32 {
        // Both operations are rounded to the type of the scale.
        let round = |value: f32| match self.scales.as_ref().map(|scales| scales.tensor.dtype) {
            Some(Dtype::BF16) => bf16::from_f32(value).to_f32(),
            Some(Dtype::F16) => f16::from_f32(value).to_f32(),
            _ => value,
        };
        round(round(round(element) - zero_point) * scale)
    }
}

impl Scales {
    fn new(file: &dyn ByteSource, tensor: TensorInfo, rows: u64, columns: u64) -> Result<Self> {
        let (is_single, per_row) = match tensor.shape[..] {
            [] | [1] | [1, 1] => (true, 1),
            [count] if count == rows => (false, 1),
            [count, groups] if count == rows && groups > 0 && columns.is_multiple_of(groups) => {
                (false, groups)
            }
            _ => {
                let problem = format!(
                    "{} has the shape {:?}, which does not fit a matrix of [{rows}, {columns}]",
                    tensor.name, tensor.shape
                );
                return Err(Error::unsupported(file.name(), problem));
            }
        };
        let is_plain = tensor.byte_range.end - tensor.byte_range.start
            == tensor.dtype.size() * if is_single { 1 } else { rows * per_row };
        if !is_plain {
            let problem = format!("{} is not stored row by row", tensor.name);
            return Err(Error::unsupported(file.name(), problem));
        }
        Ok(Self {
            tensor,
            is_single,
            per_row,
        })
    }

    /// Returns the values of a row.
    fn of_row(&self, file: &dyn ByteSource, row: u64) -> Result<Vec<f32>> {
        let width = self.per_row * self.tensor.dtype.size();
        let start = self.tensor.byte_range.start + if self.is_single { 0 } else { row * width };
        let bytes = file.read(start..start + width)?;
        let mut values = Vec::new();
        append_elements(self.tensor.dtype, &bytes, &mut values);
        Ok(values)
    }
}

impl ComputeRows for ScaledRows {
    fn file(&self) -> &Arc<dyn ByteSource> {
        &self.file
    }

    fn append(&self, rows: Range<u64>, values: &mut Vec<f32>) -> Result<()> {
        let file = self.file.as_ref();
        for row in rows {
            let start = values.len();
            append_elements(self.elements.dtype, &file.read(self.bytes_of(row))?, values);
            let Some(scales) = &self.scales else {
                continue;
            };
            let scales = scales.of_row(file, row)?;
            let zero_points = match &self.zero_points {
                Some(zero_points) => zero_points.of_row(file, row)?,
                None => vec![0.0],
            };
            let columns = self.columns as usize;
            let of_column = |list: &[f32], column: usize| {
                list.get(column / (columns / list.len().max(1)).max(1))
                    .copied()
            };
            for (column, value) in values.iter_mut().skip(start).enumerate() {
                let scale = of_column(&scales, column).unwrap_or(1.0);
                let zero_point = of_column(&zero_points, column).unwrap_or(0.0);
                *value = self.value(*value, zero_point, scale);
            }
        }
        Ok(())
    }

    fn bytes_of(&self, row: u64) -> Range<u64> {
        let start = self.elements.byte_range.start + row * self.columns;
        start..start + self.columns
    }

    fn bytes(&self) -> Range<u64> {
        self.elements.byte_range.clone()
    }
}

/// Converts elements of 8 bits, and those of scales.
fn append_elements(dtype: Dtype, bytes: &[u8], values: &mut Vec<f32>) {
    match dtype {
        Dtype::F8_E4M3 => values.extend(bytes.iter().map(|byte| e4m3(*byte))),
        Dtype::F8_E5M2 => values.extend(bytes.iter().map(|byte| e5m2(*byte))),
        Dtype::I8 => values.extend(bytes.iter().map(|byte| f32::from(*byte as i8))),
        _ => append_f32(dtype, bytes, values),
    }
}

/// Returns a float of 4 bits for the exponent and 3 for the fraction, without infinities (`float8_e4m3fn`).
fn e4m3(byte: u8) -> f32 {
    let (exponent, fraction) = (byte >> 3 & 15, byte & 7);
    let size = match (exponent, fraction) {
        (15, 7) => f32::NAN,
        (0, _) => f32::from(fraction) * 2_f32.powi(-9),
        _ => f32::from(8 + fraction) * 2_f32.powi(i32::from(exponent) - 10),
    };
    if byte & 0x80 == 0 { size } else { -size }
}

/// Returns a float of 5 bits for the exponent and 2 for the fraction: the upper half of a float16.
fn e5m2(byte: u8) -> f32 {
    f16::from_bits(u16::from(byte) << 8).to_f32()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_8_bit_float_has_the_value_of_ml_dtypes() {
        let json = include_str!("../../tests/fixtures/matrices/expected.json");
        let expected: serde_json::Value = serde_json::from_str(json).unwrap();
        for (dtype, convert) in [("F8_E4M3", e4m3 as fn(u8) -> f32), ("F8_E5M2", e5m2)] {
            for byte in 0..=u8::MAX {
                let bits = expected[dtype][usize::from(byte)].as_u64().unwrap() as u32;
                let (expected, found) = (f32::from_bits(bits), convert(byte));
                let is_same = found.to_bits() == bits || found.is_nan() && expected.is_nan();
                assert!(is_same, "{dtype} {byte}: {found} and {expected}");
            }
        }
    }
}
