//! The rows of model2vec: an id names a row through `mapping`, and `weights` multiplies it.
//!
//! `StaticModel._encode_helper` of model2vec 0.10 computes `embeddings[mapping[id]] * weights[id]` with NumPy. Both
//! tensors are optional. Without them, an id is the number of its row.

use std::ops::Range;
use std::sync::Arc;

use half::f16;

use super::computed_rows::ComputeRows;
use super::elements::append_f32;
use crate::error::{Error, Result};
use crate::formats::checkpoint::{Checkpoint, Dtype, TensorInfo};
use crate::source::ByteSource;

/// The names of the tensors that say which row an id has, and its factor.
const MAPPING: &str = "mapping";
const WEIGHTS: &str = "weights";

/// The rule that computes the rows.
#[derive(Debug)]
pub struct RemappedRows {
    file: Arc<dyn ByteSource>,
    embeddings: TensorInfo,
    columns: u64,
    /// The row of each id. `None` if it is the id itself.
    mapping: Option<Vec<u32>>,
    /// The factor of each id.
    weights: Option<Vec<f64>>,
    /// The type that NumPy computes the products in.
    product: Dtype,
}

impl RemappedRows {
    /// Returns the rule and the number of ids. Returns `None` if the rows are to be taken as they are stored.
    ///
    /// # Errors
    /// Fails with [`Error::Unsupported`] or [`Error::Damaged`] if `mapping` or `weights` does not fit the matrix.
    pub fn find(
        file: &Arc<dyn ByteSource>,
        checkpoint: &Checkpoint,
        embeddings: &TensorInfo,
    ) -> Result<Option<(Self, u64)>> {
        let [rows, columns] = embeddings.shape[..] else {
            return Ok(None);
        };
        let mapping = vector(file, checkpoint, MAPPING)?;
        let mapping = match mapping {
            Some(tensor) => Some(read_mapping(file, &tensor, rows)?),
            None => None,
        };
        let weights = match vector(file, checkpoint, WEIGHTS)? {
            Some(tensor) => Some((tensor.dtype, read_weights(file, &tensor)?)),
            None => None,
        };
        if mapping.is_none() && weights.is_none() && embeddings.dtype != Dtype::I8 {
            return Ok(None);
        }
        let types = [Dtype::F16, Dtype::F32, Dtype::F64, Dtype::I8];
        if !types.contains(&embeddings.dtype) || embeddings.strides != [columns, 1] {
            let problem = format!(
                "{} has the type {} and the strides {:?}: model2vec stores F16, F32, F64 or I8, row by row",
                embeddings.name, embeddings.dtype, embeddings.strides
            );
            return Err(Error::unsupported(file.name(), problem));
        }
        let ids = mapping.as_ref().map_or(rows, |ids| ids.len() as u64);
        let count = weights.as_ref().map_or(ids, |(_, list)| list.len() as u64);
        if count != ids {
            let problem = format!("{WEIGHTS} has {count} values for {ids} ids");
            return Err(Error::damaged(file.name(), problem));
        }
        let product = match &weights {
            Some((dtype, _)) => wider(*dtype, embeddings.dtype),
            None => embeddings.dtype,
        };
        let rule = Self {
            file: Arc::clone(file),
            embeddings: embeddings.clone(),
            columns,
            mapping,
            weights: weights.map(|(_, weights)| weights),
            product,
        };
        Ok(Some((rule, ids)))
    }

    fn append_row(&self, id: u64, values: &mut Vec<f32>) -> Result<()> {
        let start = values.len();
        let bytes = self.file.read(self.bytes_of(id))?;
        let weight = self.weights.as_ref();
        let weight = weight.and_then(|weights| weights.get(id as usize).copied());
        let dtype = self.embeddings.dtype;
        if let (Some(weight), Dtype::F64) = (weight, dtype) {
            let elements = bytes.as_chunks().0.iter();
            let products = elements.map(|bytes| (f64::from_le_bytes(*bytes) * weight) as f32);
            values.extend(products);
            return Ok(());
        }
        match dtype {
            Dtype::I8 => values.extend(bytes.iter().map(|byte| f32::from(*byte as i8))),
            _ => append_f32(dtype, &bytes, values),
        }
        if let Some(weight) = weight {
            for value in values.iter_mut().skip(start) {
                *value = match self.product {
                    Dtype::F64 => (f64::from(*value) * weight) as f32,
                    Dtype::F16 => f16::from_f32(*value * weight as f32).to_f32(),
                    _ => *value * weight as f32,
                };
            }
        }
        Ok(())
    }
}

impl ComputeRows for RemappedRows {
    fn file(&self) -> &Arc<dyn ByteSource> {
        &self.file
    }

    fn append(&self, rows: Range<u64>, values: &mut Vec<f32>) -> Result<()> {
        rows.into_iter()
            .try_for_each(|id| self.append_row(id, values))
    }

    fn bytes_of(&self, id: u64) -> Range<u64> {
        let row = match &self.mapping {
            Some(mapping) => mapping.get(id as usize).map_or(0, |row| u64::from(*row)),
            None => id,
        };
        let width = self.columns * self.embeddings.dtype.size();
        let start = self.embeddings.byte_range.start + row * width;
        start..start + width
    }

    fn bytes(&self) -> Range<u64> {
        self.embeddings.byte_range.clone()
    }
}

/// Returns the wider of two types, as NumPy promotes them.
fn wider(a: Dtype, b: Dtype) -> Dtype {
    let types = [Dtype::F64, Dtype::F32, Dtype::F16];
    let wide = types.into_iter().find(|dtype| *dtype == a || *dtype == b);
    wide.unwrap_or(Dtype::F32)
}

fn vector(
    file: &Arc<dyn ByteSource>,
    checkpoint: &Checkpoint,
    name: &str,
) -> Result<Option<TensorInfo>> {
    let Some(header) = checkpoint.find(name) else {
        return Ok(None);
    };
    if header.shape.len() != 1 {
        let problem = format!("{name} has the shape {:?}, not one size", header.shape);
        return Err(Error::unsupported(file.name(), problem));
    }
    let tensor = header.locate(file.as_ref())?;
    if tensor.strides != [1] {
        let problem = format!("{name} has the strides {:?}, not 1", tensor.strides);
        return Err(Error::unsupported(file.name(), problem));
    }
    Ok(Some(tensor))
}

fn read_mapping(file: &Arc<dyn ByteSource>, tensor: &TensorInfo, rows: u64) -> Result<Vec<u32>> {
    let bytes = file.read(tensor.byte_range.clone())?;
    let ids: Vec<i64> = match tensor.dtype {
        Dtype::I64 | Dtype::U64 => words(&bytes, i64::from_le_bytes).collect(),
        Dtype::I32 => words(&bytes, i32::from_le_bytes).map(i64::from).collect(),
        Dtype::U32 => words(&bytes, u32::from_le_bytes).map(i64::from).collect(),
        Dtype::I16 => words(&bytes, i16::from_le_bytes).map(i64::from).collect(),
        Dtype::U16 => words(&bytes, u16::from_le_bytes).map(i64::from).collect(),
        dtype => {
            let problem = format!("the elements of {MAPPING} are {dtype}, not numbers of rows");
            return Err(Error::unsupported(file.name(), problem));
        }
    };
    let row = |(id, row): (usize, &i64)| {
        let exists = u64::try_from(*row).is_ok_and(|row| row < rows);
        let small = u32::try_from(*row).ok().filter(|_| exists);
        small.ok_or_else(|| {
            let problem = format!("{MAPPING} gives id {id} the row {row} of {rows}");
            Error::damaged(file.name(), problem)
        })
    };
    ids.iter().enumerate().map(row).collect()
}

fn read_weights(file: &Arc<dyn ByteSource>, tensor: &TensorInfo) -> Result<Vec<f64>> {
    let bytes = file.read(tensor.byte_range.clone())?;
    match tensor.dtype {
        Dtype::F64 => Ok(words(&bytes, f64::from_le_bytes).collect()),
        Dtype::F32 | Dtype::F16 => {
            let mut weights = Vec::new();
            append_f32(tensor.dtype, &bytes, &mut weights);
            Ok(weights.into_iter().map(f64::from).collect())
        }
        dtype => {
            let problem = format!("the elements of {WEIGHTS} are {dtype}, not F16, F32 or F64");
            Err(Error::unsupported(file.name(), problem))
        }
    }
}

fn words<const N: usize, T>(bytes: &[u8], read: fn([u8; N]) -> T) -> impl Iterator<Item = T> {
    bytes.as_chunks::<N>().0.iter().map(move |word| read(*word))
}
