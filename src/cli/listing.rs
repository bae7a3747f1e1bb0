//! How the commands that list something print it: a line for each, or JSON.

use super::arguments::ListFormat;
use super::console::Console;
use super::failure::Failure;
use serde_json::Value;
use std::io::{self, Write};

/// Prints `value` as JSON, or what `text` writes.
pub(super) fn print(
    format: ListFormat,
    console: &Console,
    value: impl FnOnce() -> Value,
    text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    match format {
        ListFormat::Text => console.print(text),
        ListFormat::Json => print_json(console, &value()),
    }
}

/// Prints `value` as indented JSON.
pub(super) fn print_json(console: &Console, value: &Value) -> Result<(), Failure> {
    console.print(|out| writeln!(out, "{value:#}"))
}

/// Prints rows with their columns aligned; the last column is never padded.
pub(super) fn columns<const N: usize>(out: &mut dyn Write, rows: &[[String; N]]) -> io::Result<()> {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(unicode_width::UnicodeWidthStr::width(cell.as_str()));
        }
    }
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let pad = width.saturating_sub(unicode_width::UnicodeWidthStr::width(cell.as_str()));
            line.push_str(cell);
            line.push_str(&" ".repeat(pad + 2));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Prints a paragraph, wrapped at 80 columns, each line after `indent`.
pub(super) fn paragraph(out: &mut dyn Write, indent: &str, text: &str) -> io::Result<()> {
    for given in text.trim().lines() {
        let mut line = String::new();
        for word in given.split_whitespace() {
            let width = indent.len() + line.len() + 1 + word.len();
            if !line.is_empty() && width > 80 {
                writeln!(out, "{indent}{line}")?;
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        writeln!(out, "{}", format!("{indent}{line}").trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).expect("written");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn columns_stand_under_each_other() {
        let rows = [["a".into(), "bb".into(), "c".into()], ["länger".into(), "b".into(), "d".into()]];
        assert_eq!(text(|out| columns(out, &rows)), "a       bb  c\nlänger  b   d\n");
    }

    #[test]
    fn a_paragraph_keeps_its_lines_and_breaks_long_ones() {
        let long = "word ".repeat(20);
        let printed = text(|out| paragraph(out, "  ", &format!("first\n\n{long}")));
        assert!(printed.starts_with("  first\n\n  word word"), "{printed}");
        assert!(printed.lines().all(|l| l.len() <= 80), "{printed}");
        assert_eq!(printed.matches("word").count(), 20);
    }
}
