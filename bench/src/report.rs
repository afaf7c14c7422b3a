//! What was found: tables for people, and the same as JSON.

use serde_json::{Value, json};

/// The middle of some measurements and how far they lie apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Half are below.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Of at least one measurement.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        assert!(!values.is_empty(), "a measurement was made");
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            f64::midpoint(values[middle - 1], values[middle])
        };
        Self { median, min: values[0], max: values[values.len() - 1] }
    }

    /// `median (min–max)`, with so many decimals.
    pub fn show(&self, decimals: usize) -> String {
        let Self { median, min, max } = self;
        format!("{median:.decimals$} ({min:.decimals$}–{max:.decimals$})")
    }

    /// For the file.
    pub fn json(&self) -> Value {
        json!({"median": self.median, "min": self.min, "max": self.max})
    }
}

/// The value that so many hundredths of some values do not exceed; sorts them.
pub fn percentile(values: &mut [u32], hundredths: usize) -> f64 {
    values.sort_unstable();
    match values.len() {
        0 => f64::NAN,
        len => f64::from(values[(len * hundredths / 100).min(len - 1)]),
    }
}

/// What one scenario found.
pub struct Section {
    /// As the command line spells it.
    pub name: &'static str,
    /// A sentence.
    pub title: String,
    /// Above the columns; the first is the row's name.
    pub columns: Vec<&'static str>,
    /// A text for each column.
    pub rows: Vec<Vec<String>>,
    /// What was found to be wrong, not slow.
    pub failed: Option<String>,
    /// Everything that was measured.
    pub json: Value,
}

impl Section {
    /// As a table of Markdown, its columns aligned.
    pub fn table(&self) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.chain([self.columns[column].chars().count()]).max().unwrap_or(0)
        };
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let cells = cells.enumerate().map(|(n, cell)| {
                let fill = " ".repeat(width(n) - cell.chars().count());
                if n == 0 { format!("{cell}{fill}") } else { format!("{fill}{cell}") }
            });
            format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
        };
        let rules = (0..self.columns.len()).map(|n| {
            let dashes = "-".repeat(width(n) + 1);
            if n == 0 { format!("{dashes}-") } else { format!("{dashes}:") }
        });
        let mut table = format!("{}\n\n", self.title);
        table.push_str(&line(&mut self.columns.iter().copied()));
        table.push_str(&format!("|{}|\n", rules.collect::<Vec<_>>().join("|")));
        for row in &self.rows {
            table.push_str(&line(&mut row.iter().map(String::as_str)));
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_edges() {
        let spread = Spread::of([3.0, 1.0, 2.0]);
        assert_eq!(spread, Spread { median: 2.0, min: 1.0, max: 3.0 });
        assert_eq!(Spread::of([1.0, 2.0]).median, 1.5);
        assert_eq!(spread.show(1), "2.0 (1.0–3.0)");
        let mut values: Vec<u32> = (1..=100).rev().collect();
        assert_eq!((percentile(&mut values, 50), percentile(&mut values, 99)), (51.0, 100.0));
    }

    #[test]
    fn a_table_is_aligned() {
        let section = Section {
            name: "a",
            title: "What.".to_owned(),
            columns: vec!["server", "us"],
            rows: vec![vec!["relay".to_owned(), "10.0 (9–11)".to_owned()]],
            failed: None,
            json: Value::Null,
        };
        assert_eq!(
            section.table(),
            "What.\n\n\
             | server |          us |\n\
             |--------|------------:|\n\
             | relay  | 10.0 (9–11) |\n"
        );
    }
}
