//! CSV and TSV: a header line, then one line per token, row, piece or count.
//!
//! Both quote as RFC 4180 does; the columns of a record are those of its JSON, nested fields joined by dots.

mod pipelines;

use std::io::{self, Write};

use csv::{QuoteStyle, WriterBuilder};
use serde::Serialize;

use crate::record::{
    Annotation, Count, Diff, Group, Record, Row, Similarity, Sink, Summary, Tokenize, Total, View,
};
use crate::render::annotation;
use crate::render::streams::{Reader, Streams, write_bare, write_failure};

pub struct Csv<'w> {
    delimiter: u8,
    reader: Reader,
    out: Box<dyn Write + 'w>,
    err: Box<dyn Write + 'w>,
    /// Kind of record whose header has been written.
    header: Option<&'static str>,
}

impl<'w> Csv<'w> {
    pub fn new(delimiter: u8, reader: Reader, streams: Streams<'w>) -> Self {
        Self {
            delimiter,
            reader,
            out: streams.out,
            err: streams.err,
            header: None,
        }
    }

    fn header(&mut self, kind: &'static str, columns: &[&str]) -> io::Result<()> {
        if self.header == Some(kind) {
            return Ok(());
        }
        self.header = Some(kind);
        self.write(columns.iter().map(|&column| column.to_owned()).collect())
    }

    fn write(&mut self, fields: Vec<String>) -> io::Result<()> {
        let line = self.line(&fields)?;
        self.out.write_all(&line)
    }

    fn line(&self, fields: &[String]) -> io::Result<Vec<u8>> {
        let mut line = WriterBuilder::new()
            .delimiter(self.delimiter)
            .quote_style(QuoteStyle::Necessary)
            .from_writer(Vec::new());
        line.write_record(fields)?;
        line.into_inner()
            .map_err(|error| io::Error::other(error.to_string()))
    }

    fn tokenize(&mut self, record: &Tokenize) -> io::Result<()> {
        const COLUMNS: &[&str] = &[
            "path", "line", "window", "position", "id", "piece", "start", "end", "type_id",
            "special", "word_id",
        ];
        self.header("tokenize", COLUMNS)?;
        for index in 0..record.ids.len() {
            let (start, end) = record.offsets[index];
            self.write(vec![
                text(&record.path),
                optional(record.line),
                optional(record.window),
                index.to_string(),
                record.ids[index].to_string(),
                record.tokens[index].to_owned(),
                start.to_string(),
                end.to_string(),
                record.type_ids[index].to_string(),
                record.special_tokens_mask[index].to_string(),
                optional(record.word_ids[index]),
            ])?;
        }
        Ok(())
    }

    fn count(&mut self, record: &Count) -> io::Result<()> {
        const COLUMNS: &[&str] = &[
            "path",
            "line",
            "tokens",
            "words",
            "chars",
            "bytes",
            "lines",
            "budget",
            "within_budget",
        ];
        self.header("count", &with_view(COLUMNS, &record.view))?;
        let mut fields = vec![
            text(&record.path),
            optional(record.line),
            record.tokens.to_string(),
            record.words.to_string(),
            record.chars.to_string(),
            record.bytes.to_string(),
            record.lines.to_string(),
            optional(record.budget),
            optional(record.within_budget),
        ];
        fields.extend(view(&record.view));
        self.write(fields)
    }

    fn group(&mut self, record: &Group) -> io::Result<()> {
        const COLUMNS: &[&str] = &[
            "by",
            "name",
            "files",
            "tokens",
            "words",
            "chars",
            "bytes",
            "lines",
            "budget",
            "within_budget",
        ];
        if self.header == Some("count") {
            return Ok(());
        }
        self.header("group", &with_view(COLUMNS, &record.view))?;
        let mut fields = vec![
            record.by.to_owned(),
            record.name.clone(),
            record.files.to_string(),
            record.tokens.to_string(),
            record.words.to_string(),
            record.chars.to_string(),
            record.bytes.to_string(),
            record.lines.to_string(),
            optional(record.budget),
            optional(record.within_budget),
        ];
        fields.extend(view(&record.view));
        self.write(fields)
    }

    /// As a total, left out after rows.
    fn summary(&mut self, record: &Summary) -> io::Result<()> {
        if self.header.is_some() {
            return Ok(());
        }
        const COLUMNS: &[&str] = &[
            "files",
            "tokens",
            "min",
            "p50",
            "p90",
            "p99",
            "max",
            "mean",
            "context_window",
            "over_context_window",
        ];
        self.header("summary", COLUMNS)?;
        self.write(vec![
            record.files.to_string(),
            record.tokens.to_string(),
            record.min.to_string(),
            record.p50.to_string(),
            record.p90.to_string(),
            record.p99.to_string(),
            record.max.to_string(),
            record.mean.to_string(),
            optional(record.context_window),
            optional(record.over_context_window),
        ])
    }

    /// Asked for alone, a total has a header of its own; after files, it would be a file that is none.
    fn total(&mut self, record: &Total) -> io::Result<()> {
        const COLUMNS: &[&str] = &[
            "files",
            "tokens",
            "words",
            "chars",
            "bytes",
            "lines",
            "budget",
            "within_budget",
            "over_budget",
        ];
        if self.header.is_some() {
            return Ok(());
        }
        self.header("total", COLUMNS)?;
        self.write(vec![
            record.files.to_string(),
            record.tokens.to_string(),
            record.words.to_string(),
            record.chars.to_string(),
            record.bytes.to_string(),
            record.lines.to_string(),
            optional(record.budget),
            optional(record.within_budget),
            optional(record.over_budget),
        ])
    }

    /// One record as a table of its fields.
    fn fields(&mut self, kind: &'static str, record: &impl Serialize) -> io::Result<()> {
        self.header(kind, &["field", "value"])?;
        // By way of its text, where a float32 has the digits it is shown with.
        let value = serde_json::from_slice(&serde_json::to_vec(record)?)?;
        let mut fields = Vec::new();
        flatten("", &value, &mut fields);
        fields
            .into_iter()
            .try_for_each(|(field, value)| self.write(vec![field, value]))
    }

    fn row(&mut self, record: &Row) -> io::Result<()> {
        let values = record.values.as_deref().unwrap_or_default();
        if self.header != Some("row") {
            let names: Vec<String> = (0..values.len())
                .map(|column| format!("v{column}"))
                .collect();
            let mut columns = vec![
                "position", "id", "piece", "dtype", "norm", "min", "max", "mean",
            ];
            columns.extend(names.iter().map(String::as_str));
            self.header("row", &columns)?;
        }
        let mut line = self.line(&[
            optional(record.position),
            record.id.to_string(),
            text(&record.piece),
            record.dtype.clone(),
        ])?;
        let facts = [record.norm, record.min, record.max, record.mean];
        self.append_numbers(&mut line, facts.iter().chain(values))?;
        self.out.write_all(&line)
    }

    fn similarity(&mut self, record: &Similarity) -> io::Result<()> {
        if self.header != Some("similarity") {
            let names = (0..record.cosines.len()).map(|column| format!("c{column}"));
            let names: Vec<String> = names.collect();
            let mut columns = vec!["position", "id", "piece"];
            columns.extend(names.iter().map(String::as_str));
            self.header("similarity", &columns)?;
        }
        let mut fields = vec![
            record.position.to_string(),
            record.id.to_string(),
            text(&record.piece),
        ];
        let cosine = |cosine: &Option<f32>| cosine.map(float).unwrap_or_default();
        fields.extend(record.cosines.iter().map(cosine));
        self.write(fields)
    }

    /// Appends many numbers, which need no quotes, to a line.
    fn append_numbers<'v>(
        &self,
        line: &mut Vec<u8>,
        numbers: impl Iterator<Item = &'v f32>,
    ) -> io::Result<()> {
        line.pop();
        for number in numbers {
            line.push(self.delimiter);
            serde_json::to_writer(&mut *line, number)?;
        }
        line.push(b'\n');
        Ok(())
    }

    fn diff(&mut self, record: &Diff) -> io::Result<()> {
        let values = record.values.as_deref().unwrap_or_default();
        let names: Vec<String> = (0..values.len())
            .map(|column| format!("d{column}"))
            .collect();
        let mut columns = vec![
            "a.id",
            "a.piece",
            "a.position",
            "b.id",
            "b.piece",
            "b.position",
            "identical",
            "max_abs",
            "l2",
            "cosine",
        ];
        columns.extend(names.iter().map(String::as_str));
        self.header("diff", &columns)?;
        let mut fields = Vec::new();
        for name in [&record.a, &record.b] {
            fields.extend([
                name.id.to_string(),
                text(&name.piece),
                optional(name.position),
            ]);
        }
        fields.extend([
            record.identical.to_string(),
            float(record.max_abs),
            float(record.l2),
            record.cosine.map(float).unwrap_or_default(),
        ]);
        fields.extend(values.iter().map(|value| float(*value)));
        self.write(fields)
    }
}

impl Sink for Csv<'_> {
    fn emit(&mut self, record: &Record) -> io::Result<()> {
        match record {
            Record::Tokenize(record) => self.tokenize(record),
            Record::Decode(record) => {
                self.header("decode", &["line", "ids", "pieces", "text"])?;
                let ids: Vec<String> = record.ids.iter().map(u32::to_string).collect();
                self.write(vec![
                    optional(record.line),
                    ids.join(" "),
                    record.tokens.join(" "),
                    record.text.clone(),
                ])
            }
            Record::Count(record) => self.count(record),
            Record::Total(record) => self.total(record),
            Record::Group(record) => self.group(record),
            Record::Summary(record) => self.summary(record),
            Record::Info(record) => self.fields("info", record),
            Record::Similarity(record) => self.similarity(record),
            Record::Stats(record) => self.fields("stats", record),
            Record::Piece(record) => {
                self.header(
                    "piece",
                    &["id", "piece", "kind", "score", "special", "added"],
                )?;
                self.write(vec![
                    record.id.to_string(),
                    record.piece.clone(),
                    record.kind.to_owned(),
                    optional(record.score),
                    record.special.to_string(),
                    record.added.to_string(),
                ])
            }
            Record::Row(record) => self.row(record),
            Record::Diff(record) => self.diff(record),
            Record::Neighbor(record) => {
                self.header(
                    "neighbor",
                    &[
                        "rank",
                        "id",
                        "piece",
                        "score",
                        "metric",
                        "query",
                        "query_name",
                    ],
                )?;
                self.write(vec![
                    record.rank.to_string(),
                    record.id.to_string(),
                    text(&record.piece),
                    float(record.score),
                    record.metric.to_owned(),
                    record.query.to_string(),
                    record.query_name.clone(),
                ])
            }
            Record::File(record) => {
                self.header(
                    "file",
                    &["model", "commit", "name", "size", "cached", "tensor"],
                )?;
                self.write(vec![
                    record.model.clone(),
                    text(&record.commit),
                    record.name.clone(),
                    record.size.to_string(),
                    record.cached.to_string(),
                    record.tensor.clone().unwrap_or_default(),
                ])
            }
            Record::Difference(record) => {
                self.header(
                    "difference",
                    &["path", "line", "position", "text", "native", "reference"],
                )?;
                self.write(vec![
                    text(&record.path),
                    optional(record.line),
                    record.position.to_string(),
                    record.text.clone(),
                    record.native.join(" "),
                    record.reference.join(" "),
                ])
            }
            Record::Verify(record) => {
                self.header("verify", &["texts", "tokens", "differences"])?;
                self.write(vec![
                    record.texts.to_string(),
                    record.tokens.to_string(),
                    record.differences.to_string(),
                ])
            }
            Record::Chunk(_)
            | Record::Head(_)
            | Record::Tail(_)
            | Record::Lock(_)
            | Record::Check(_)
            | Record::Drift(_)
            | Record::Match(_)
            | Record::Convert(_) => self.pipeline(record),
            Record::Error(record) => write_failure(&mut self.out, &mut self.err, record),
        }
    }

    fn bare(&mut self, line: &str) -> io::Result<()> {
        write_bare(&mut self.out, self.reader, line)
    }

    fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn annotate(&mut self, annotation: &Annotation) -> io::Result<()> {
        self.out.flush()?;
        annotation::write(&mut self.err, annotation)
    }

    fn shows_totals(&self) -> bool {
        self.header.is_none()
    }
}

/// The columns of a kind of record, and those of a view where there is one.
fn with_view(columns: &[&'static str], view: &View) -> Vec<&'static str> {
    let more: &[&str] = match view.bar {
        Some(_) => &["share", "context_window"],
        None => &[],
    };
    [columns, more].concat()
}

fn view(view: &View) -> Vec<String> {
    match view.bar {
        Some(_) => vec![optional(view.share), optional(view.context_window)],
        None => Vec::new(),
    }
}

/// The shortest decimal that reads back to the same float32.
fn float(value: f32) -> String {
    serde_json::to_string(&value).unwrap_or_default()
}

fn text(value: &Option<String>) -> String {
    value.clone().unwrap_or_default()
}

fn optional<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// The leaves of a JSON value with their dotted paths.
fn flatten(path: &str, value: &serde_json::Value, fields: &mut Vec<(String, String)>) {
    use serde_json::Value;
    let at = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    };
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(key, value)| flatten(&at(key), value, fields)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                flatten(&at(&index.to_string()), item, fields);
            }
        }
        Value::String(text) => fields.push((path.to_owned(), text.clone())),
        other => fields.push((path.to_owned(), other.to_string())),
    }
}
