//! Rows of the matrix, for people.

use std::io::{self, Write};

use super::cells::{number, pad};
use super::renderer::{Human, Shape};
use crate::record::{Diff, Neighbor, Row, RowName};
use crate::render::escape::cell;
use crate::render::view::View;

/// The number of values of a row shown without `--full`.
const FIRST_VALUES: usize = 6;
/// The number of values per line with `--full`.
const VALUES_PER_LINE: usize = 8;

impl Human<'_> {
    pub(super) fn row(&mut self, record: &Row, view: View) -> io::Result<()> {
        let values = record.values.as_deref().unwrap_or_default();
        let shape = self.shape.get_or_insert_with(|| Shape {
            rows: 0,
            columns: 0,
            dtype: record.dtype.clone(),
        });
        shape.rows += 1;
        shape.columns = values.len();
        self.positions |= record.position.is_some();
        let name = format!(
            "{}{:>7}  {}",
            record
                .position
                .map(|position| format!("{position:>5}  "))
                .unwrap_or_else(|| " ".repeat(if self.positions { 7 } else { 0 })),
            record.id,
            pad(&cell(record.piece.as_deref().unwrap_or("(no token)")), 14)
        );
        if view == View::Full && !values.is_empty() {
            let facts = format!(
                "{name}  norm {}  min {}  max {}  mean {}",
                number(record.norm),
                number(record.min),
                number(record.max),
                number(record.mean)
            );
            writeln!(self.out, "{}", self.output.style.head(&facts))?;
            return self.values(values);
        }
        let position = if record.position.is_some() {
            "    #  "
        } else {
            ""
        };
        let head = if values.is_empty() {
            "         min         max        mean"
        } else {
            "  first values"
        };
        let head = format!(
            "{position}{:>7}  {}  {:>9}{head}",
            "id",
            pad("piece", 14),
            "norm"
        );
        self.head("row", &head)?;
        write!(self.out, "{name}  {:>9}", number(record.norm))?;
        if values.is_empty() {
            let [min, max, mean] = [record.min, record.max, record.mean].map(number);
            return writeln!(self.out, " {min:>11} {max:>11} {mean:>11}");
        }
        for value in values.iter().take(FIRST_VALUES) {
            write!(self.out, " {:>11}", number(*value))?;
        }
        let more = if values.len() > FIRST_VALUES {
            " …"
        } else {
            ""
        };
        writeln!(self.out, "{more}")
    }

    fn values(&mut self, values: &[f32]) -> io::Result<()> {
        for (index, line) in values.chunks(VALUES_PER_LINE).enumerate() {
            let numbers: Vec<String> = line
                .iter()
                .map(|value| format!("{:>11}", number(*value)))
                .collect();
            writeln!(
                self.out,
                "{:>6} {}",
                index * VALUES_PER_LINE,
                numbers.join(" ")
            )?;
        }
        Ok(())
    }

    pub(super) fn diff(&mut self, record: &Diff, view: View) -> io::Result<()> {
        let style = self.output.style;
        writeln!(self.out, "{}  {}", style.head("a"), row_name(&record.a))?;
        writeln!(self.out, "{}  {}", style.head("b"), row_name(&record.b))?;
        let verdict = if record.identical {
            style.good("identical, bit for bit")
        } else {
            style.bad("different")
        };
        writeln!(self.out, "{verdict}")?;
        writeln!(self.out, "  max |a - b|  {}", number(record.max_abs))?;
        writeln!(self.out, "  L2 distance  {}", number(record.l2))?;
        match record.cosine {
            Some(cosine) => writeln!(self.out, "  cosine       {}", number(cosine))?,
            None => writeln!(self.out, "  cosine       undefined")?,
        }
        let Some(values) = &record.values else {
            return Ok(());
        };
        if view == View::Full {
            writeln!(self.out, "  a - b")?;
            return self.values(values);
        }
        let first: Vec<String> = values
            .iter()
            .take(FIRST_VALUES)
            .map(|value| number(*value))
            .collect();
        let more = if values.len() > FIRST_VALUES {
            format!(" … ({} values; `--full` shows all)", values.len())
        } else {
            String::new()
        };
        writeln!(self.out, "  a - b        {}{more}", first.join(" "))
    }

    pub(super) fn neighbor(&mut self, record: &Neighbor, view: View) -> io::Result<()> {
        if view == View::OfSeveral && record.rank == 1 {
            // Begin a table for each query, under its name.
            let between = if self.table.take().is_some() {
                "\n"
            } else {
                ""
            };
            let name = self.output.style.head(&cell(&record.query_name));
            writeln!(self.out, "{between}{name}")?;
        }
        self.head(
            "neighbor",
            &format!("{:>5}  {:>9}  {:>7}  piece", "rank", record.metric, "id"),
        )?;
        writeln!(
            self.out,
            "{:>5}  {:>9}  {:>7}  {}",
            record.rank,
            number(record.score),
            record.id,
            cell(record.piece.as_deref().unwrap_or("(no token)"))
        )
    }
}

fn row_name(name: &RowName) -> String {
    let Some(id) = name.id else {
        let ids: Vec<String> = name.mean_of.iter().map(u32::to_string).collect();
        let text = name.text.as_deref().unwrap_or_default();
        return format!("mean of ids {}  {}", ids.join(", "), cell(text));
    };
    let position = name
        .position
        .map(|position| format!("position {position}  "))
        .unwrap_or_default();
    let piece = name.piece.as_deref().unwrap_or("(no token)");
    format!("{position}id {id}  {}", cell(piece))
}
