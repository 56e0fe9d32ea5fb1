//! Tables with aligned columns and coloured cells.

use std::fmt;

use anstyle::Style;

use super::style::QUIET;

/// The text and the colour of a cell.
pub(crate) type Cell = (String, Style);

/// A table with aligned columns. The last column is not padded.
pub(crate) struct Table {
    rows: Vec<Vec<Cell>>,
    indent: usize,
}

impl Table {
    /// Creates a table with headings, indented by `indent` columns.
    pub(crate) fn new(indent: usize, headings: &[&str]) -> Self {
        let headings = headings.iter().map(|heading| ((*heading).to_owned(), QUIET)).collect();
        Self { rows: vec![headings], indent }
    }

    /// Creates a table without headings.
    pub(crate) fn plain(indent: usize) -> Self {
        Self { rows: Vec::new(), indent }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (width, (text, _)) in widths.iter_mut().zip(row) {
                *width = text.chars().count().max(*width);
            }
        }
        widths
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        for row in &self.rows {
            write!(f, "{:1$}", "", self.indent)?;
            for (column, ((text, style), width)) in row.iter().zip(&widths).enumerate() {
                let gap = if column == 0 { "" } else { "  " };
                let last = column + 1 == row.len();
                let padding = if last { 0 } else { width - text.chars().count() };
                write!(f, "{gap}{style}{text}{style:#}{:padding$}", "")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// Returns a cell without colour.
pub(crate) fn plain(text: impl Into<String>) -> Cell {
    (text.into(), Style::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_without_trailing_spaces() {
        let mut table = Table::new(2, &["NAME", "STATE"]);
        table.row([plain("a longer name"), plain("ok")]);
        let text = anstream::adapter::strip_str(&table.to_string()).to_string();
        assert_eq!(text, "  NAME           STATE\n  a longer name  ok\n");
    }
}
