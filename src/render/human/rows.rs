//! Rows of the matrix, for people.

use std::io::{self, Write};

use super::renderer::{Human, Shape};
use crate::record::{Diff, Neighbor, Row, RowName};
use crate::render::cells::{GLUE, pad};
use crate::render::escape::cell;
use crate::render::numbers::{number, quantity};
use crate::render::view::View;

/// The maximum number of values of a row shown without `--full`. Most lines have room for fewer.
const FIRST_VALUES: usize = 6;
/// The maximum number of values per line with `--full`.
const VALUES_PER_LINE: usize = 8;
/// The width of a value and the space before it.
const VALUE_WIDTH: usize = 12;
/// The width of the index at the beginning of a line of values.
const INDEX_WIDTH: usize = 6;
/// The widths of the columns of a row.
const POSITION_WIDTH: usize = 7;
const ID_WIDTH: usize = 9;
const NORM_WIDTH: usize = 11;
const PIECE_WIDTH: usize = 14;
/// In a narrower terminal, pieces have less room.
const MIN_WIDTH_WITH_PIECES: usize = 50;
const SHORT_PIECE_WIDTH: usize = 10;

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
        let columns = self.output.columns();
        let piece_width = if columns < MIN_WIDTH_WITH_PIECES {
            SHORT_PIECE_WIDTH
        } else {
            PIECE_WIDTH
        };
        let piece = cell(record.piece.as_deref().unwrap_or("(no token)"));
        let piece = pad(&self.cell_in(&piece, piece_width), piece_width);
        let position = match record.position {
            Some(position) => format!("{position:>5}  "),
            None if self.positions => " ".repeat(POSITION_WIDTH),
            None => String::new(),
        };
        let name = format!("{position}{:>7}  {piece}", record.id);
        if view == View::Full && !values.is_empty() {
            return self.full_row(record, &name, values);
        }
        let position = if record.position.is_some() {
            "    #  "
        } else {
            ""
        };
        // Rows that are named after those of a text have no position, but the same columns.
        let positions = if self.positions { POSITION_WIDTH } else { 0 };
        let before = positions + ID_WIDTH + piece_width + NORM_WIDTH;
        let room = columns.saturating_sub(before);
        let head = match (values.is_empty(), room / VALUE_WIDTH) {
            (_, 0) => "",
            (false, _) => "  first values",
            (true, 1) => "         min",
            (true, 2) => "         min         max",
            (true, _) => "         min         max        mean",
        };
        let (id, norm, piece) = ("id", "norm", pad("piece", piece_width));
        self.head(
            "row",
            &format!("{position}{id:>7}  {piece}  {norm:>9}{head}"),
        )?;
        let mut line = format!("{name}  {:>9}", number(record.norm));
        let (shown, more) = if values.is_empty() {
            let facts = [record.min, record.max, record.mean];
            (facts[..facts.len().min(room / VALUE_WIDTH)].to_vec(), "")
        } else {
            // The ellipsis takes two columns.
            let fitting = FIRST_VALUES.min(room.saturating_sub(2) / VALUE_WIDTH);
            let shown = values[..values.len().min(fitting)].to_vec();
            let more = if shown.len() < values.len() {
                " …"
            } else {
                ""
            };
            (shown, more)
        };
        for value in shown {
            line.push_str(&format!(" {:>11}", number(value)));
        }
        self.line(&format!("{line}{more}"))
    }

    /// Writes a row with all of its values.
    fn full_row(&mut self, record: &Row, name: &str, values: &[f32]) -> io::Result<()> {
        let facts = [
            ("norm", number(record.norm)),
            ("min", number(record.min)),
            ("max", number(record.max)),
            ("mean", number(record.mean)),
        ];
        let facts = facts.map(|(label, value)| format!("{label}{GLUE}{value}"));
        let head = self.output.style.head(name.trim_end());
        writeln!(self.out, "{head}")?;
        let facts = format!("{:>INDEX_WIDTH$} {}", "", facts.join("  "));
        self.wrapped(INDEX_WIDTH + 1, &self.output.style.head(&facts))?;
        self.values(values)
    }

    fn values(&mut self, values: &[f32]) -> io::Result<()> {
        let room = self.output.columns().saturating_sub(INDEX_WIDTH);
        let per_line = (room / VALUE_WIDTH).clamp(1, VALUES_PER_LINE);
        for (index, line) in values.chunks(per_line).enumerate() {
            let numbers: Vec<String> = line
                .iter()
                .map(|value| format!("{:>11}", number(*value)))
                .collect();
            writeln!(self.out, "{:>6} {}", index * per_line, numbers.join(" "))?;
        }
        Ok(())
    }

    pub(super) fn diff(&mut self, record: &Diff, view: View) -> io::Result<()> {
        let style = self.output.style;
        let [a, b] = ["a", "b"].map(|name| style.head(name));
        self.line(&format!("{a}  {}", row_name(&record.a)))?;
        self.line(&format!("{b}  {}", row_name(&record.b)))?;
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
        let label = "  a - b        ";
        let room = self.output.columns().saturating_sub(label.len() + 2);
        let fitting = FIRST_VALUES.min(room / VALUE_WIDTH).max(1);
        let first: Vec<String> = values
            .iter()
            .take(fitting)
            .map(|value| number(*value))
            .collect();
        if values.len() <= fitting {
            return writeln!(self.out, "{label}{}", first.join(" "));
        }
        writeln!(self.out, "{label}{} …", first.join(" "))?;
        let count = quantity(values.len() as u64, "value");
        self.wrapped(
            label.len(),
            &format!(
                "{:label$}{count}; `--full` shows all",
                "",
                label = label.len()
            ),
        )
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
            write!(self.out, "{between}")?;
            self.line(&name)?;
        }
        self.head(
            "neighbor",
            &format!("{:>5}  {:>9}  {:>7}  piece", "rank", record.metric, "id"),
        )?;
        let piece = cell(record.piece.as_deref().unwrap_or("(no token)"));
        let (rank, score) = (record.rank, number(record.score));
        self.line(&format!("{rank:>5}  {score:>9}  {:>7}  {piece}", record.id))
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
