//! Columns out of tabs, after Go's `text/tabwriter` with blanks for padding.
//!
//! A cell is text that ends in a tab; what follows the last tab of a line belongs to no column and is never
//! padded. A column is a run of consecutive lines that have a cell there, so a line with fewer cells ends the
//! columns to its right. Widths are counted in characters, as there.

/// How wide columns are.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The least width of a column, padding included.
    pub min_width: usize,
    /// Blanks between the widest cell and the next column.
    pub padding: usize,
    /// Whether columns of a later text are no narrower than those of an earlier one.
    pub remember: bool,
}

impl Layout {
    /// Of kubectl's tables.
    pub const TABLE: Layout = Layout {
        min_width: 6,
        padding: 3,
        remember: true,
    };
    /// Of `kubectl describe`.
    pub const DESCRIBE: Layout = Layout {
        min_width: 0,
        padding: 2,
        remember: false,
    };
}

/// Aligns texts, one after the other.
#[derive(Debug)]
pub struct TabWriter {
    layout: Layout,
    /// The greatest widths so far, when they are to be remembered.
    remembered: Vec<usize>,
}

/// A line's cells; the last one is what follows the last tab.
type Line<'a> = Vec<&'a str>;

impl TabWriter {
    /// A writer that has seen nothing.
    #[must_use]
    pub const fn new(layout: Layout) -> Self {
        Self {
            layout,
            remembered: Vec::new(),
        }
    }

    /// The text with tabs replaced by blanks.
    #[must_use]
    pub fn align(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() * 2);
        let lines = text.split('\n').map(|line| line.split('\t').collect());
        let lines = lines.collect::<Vec<Line<'_>>>();
        // A line with a single cell ends every column, so that the lines before it are a text of their own.
        let mut start = 0;
        for end in 1..=lines.len() {
            if end == lines.len() || lines[end - 1].len() == 1 {
                self.format(&lines[start..end], &mut Vec::new(), &mut out);
                start = end;
            }
        }
        // `split` sees one more line behind the last line break.
        out.pop();
        out
    }

    /// Lays out the columns from `widths.len()` on.
    fn format(&mut self, lines: &[Line<'_>], widths: &mut Vec<usize>, out: &mut String) {
        let column = widths.len();
        let has_cell = |line: &Line<'_>| column + 1 < line.len();
        let mut rest = lines;
        while let Some(start) = rest.iter().position(has_cell) {
            write_lines(&rest[..start], widths, out);
            rest = &rest[start..];
            let end = rest
                .iter()
                .position(|line| !has_cell(line))
                .unwrap_or(rest.len());
            let cells = rest[..end].iter().map(|line| width(line[column]));
            let widest = cells.max().unwrap_or(0) + self.layout.padding;
            let width = self.remember(column, widest.max(self.layout.min_width));
            widths.push(width);
            self.format(&rest[..end], widths, out);
            widths.pop();
            rest = &rest[end..];
        }
        write_lines(rest, widths, out);
    }

    fn remember(&mut self, column: usize, width: usize) -> usize {
        if !self.layout.remember {
            return width;
        }
        if column >= self.remembered.len() {
            self.remembered.resize(column + 1, 0);
        }
        let known = &mut self.remembered[column];
        *known = width.max(*known);
        *known
    }
}

fn write_lines(lines: &[Line<'_>], widths: &[usize], out: &mut String) {
    for line in lines {
        for (position, cell) in line.iter().enumerate() {
            out.push_str(cell);
            if let Some(column) = widths.get(position) {
                out.extend(std::iter::repeat_n(' ', column.saturating_sub(width(cell))));
            }
        }
        out.push('\n');
    }
}

fn width(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Layout = Layout {
        min_width: 0,
        padding: 1,
        remember: false,
    };

    #[test]
    fn columns_are_runs_of_lines() {
        for (text, expected) in [
            ("", ""),
            ("a", "a"),
            ("a\n", "a\n"),
            ("a\tb\nccc\td\n", "a   b\nccc d\n"),
            ("a\tb\nx\nccc\td\n", "a b\nx\nccc d\n"),
            (
                "a\tb\tc\naa\td\naaa\tbbb\tc\n",
                "a   b c\naa  d\naaa bbb c\n",
            ),
            ("a\t\nbb\t\n", "a  \nbb \n"),
            ("é\tb\nbb\tc\n", "é  b\nbb c\n"),
            ("\t\tx\ny\tz\n", "   x\ny z\n"),
        ] {
            assert_eq!(TabWriter::new(PLAIN).align(text), expected, "{text:?}");
        }
    }

    #[test]
    fn widths_grow_and_stay() {
        let mut writer = TabWriter::new(Layout::TABLE);
        assert_eq!(
            writer.align("NAME\tAGE\na\t1s\n"),
            "NAME   AGE\na      1s\n"
        );
        assert_eq!(writer.align("long-name\t2s\n"), "long-name   2s\n");
        assert_eq!(writer.align("b\t3s\n"), "b           3s\n");
    }
}
