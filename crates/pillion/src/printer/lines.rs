//! Lines of several writers in one stream, none of them broken up by another.

use std::io::{self, Write};

type Source = (String, String);

/// Puts a prefix before each line. A line whose end has not come yet is written as far as it goes; should
/// another writer come in between, it gets a line of its own and the first goes on with a new prefix.
#[derive(Debug)]
pub(crate) struct LineWriter<W> {
    to: W,
    /// Whose line is not ended yet.
    open: Option<Source>,
}

impl<W: Write> LineWriter<W> {
    pub(crate) fn new(to: W) -> Self {
        Self { to, open: None }
    }

    /// Writes a piece of `source`'s output.
    pub(crate) fn write(&mut self, source: &Source, prefix: &str, bytes: &[u8]) -> io::Result<()> {
        let mut goes_on = self.open.as_ref() == Some(source);
        if !goes_on {
            self.end_line()?;
        }
        if prefix.is_empty() {
            self.to.write_all(bytes)?;
        } else {
            for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                if !std::mem::take(&mut goes_on) {
                    self.to.write_all(prefix.as_bytes())?;
                }
                self.to.write_all(line)?;
            }
        }
        match bytes.last() {
            Some(b'\n') => self.open = None,
            Some(_) if self.open.as_ref() != Some(source) => self.open = Some(source.clone()),
            _ => {}
        }
        Ok(())
    }

    /// Writes a line of our own.
    pub(crate) fn whole_line(&mut self, line: &[u8]) -> io::Result<()> {
        self.end_line()?;
        self.to.write_all(line)?;
        self.to.write_all(b"\n")
    }

    /// Ends the line that is open.
    pub(crate) fn end_line(&mut self) -> io::Result<()> {
        match self.open.take() {
            Some(_) => self.to.write_all(b"\n"),
            None => Ok(()),
        }
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(pieces: &[(&str, &str)]) -> String {
        let mut writer = LineWriter::new(Vec::new());
        for (container, text) in pieces {
            let source = ("pod".to_owned(), (*container).to_owned());
            writer
                .write(&source, &format!("{container} | "), text.as_bytes())
                .expect("write");
        }
        writer.end_line().expect("end");
        String::from_utf8(writer.to).expect("utf-8")
    }

    #[test]
    fn each_line_has_one_prefix() {
        assert_eq!(
            merged(&[("a", "1\n2\n"), ("b", "3\n")]),
            "a | 1\na | 2\nb | 3\n"
        );
        assert_eq!(merged(&[("a", "\n\n")]), "a | \na | \n");
    }

    #[test]
    fn a_line_in_pieces_stays_one_line() {
        assert_eq!(
            merged(&[("a", "one "), ("a", "two\nthree\n")]),
            "a | one two\na | three\n"
        );
    }

    #[test]
    fn another_writer_does_not_come_into_an_open_line() {
        assert_eq!(
            merged(&[("a", "one "), ("b", "x\n"), ("a", "two\n")]),
            "a | one \nb | x\na | two\n"
        );
        assert_eq!(merged(&[("a", "no end")]), "a | no end\n");
    }

    #[test]
    fn without_a_prefix_bytes_pass_as_they_are() {
        let mut writer = LineWriter::new(Vec::new());
        let source = ("pod".to_owned(), "a".to_owned());
        writer.write(&source, "", b"\xff\x00 a\nb").expect("write");
        assert_eq!(writer.to, b"\xff\x00 a\nb");
    }
}
