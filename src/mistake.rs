//! A mistake in a file that a person wrote (a rule, a collector, the configuration), shown at its line.
//!
//! Whoever reads such a file keeps its text and asks it for mistakes; how they look is decided here alone.

use miette::{Diagnostic, NamedSource, SourceSpan};
use serde_saphyr::Location;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// One mistake: what, where, and what to write instead.
#[derive(Clone, Debug)]
pub struct Mistake {
    /// What is wrong.
    pub message: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What to do.
    pub help: Option<String>,
    source: Text,
    span: SourceSpan,
}

impl Mistake {
    /// The file, as it was given.
    pub fn file(&self) -> &str {
        self.source.name()
    }

    /// Bytes from the beginning of the file.
    pub(crate) fn offset(&self) -> usize {
        self.span.offset()
    }

    /// The same mistake with what to do about it.
    pub(crate) fn with_help(self, help: impl Into<Option<String>>) -> Self {
        Mistake { help: help.into().as_deref().map(plain), ..self }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file(), self.line, self.column, self.message)
    }
}

impl std::error::Error for Mistake {}

impl Diagnostic for Mistake {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|h| Box::new(h) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&*self.source.0)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        let here = miette::LabeledSpan::new_with_span(Some("here".into()), self.span);
        Some(Box::new(std::iter::once(here)))
    }
}

/// `text` without characters that a terminal obeys instead of showing; newlines stay.
pub(crate) fn plain(text: &str) -> String {
    let obeyed = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if obeyed(c) { '\u{fffd}' } else { c }).collect()
}

/// The text of a YAML file and its name, shared by all mistakes in it.
#[derive(Clone, Debug)]
pub(crate) struct Text(Arc<NamedSource<String>>);

impl Text {
    /// The `text` of the file that errors call `name`.
    pub(crate) fn new(name: impl AsRef<str>, text: impl Into<String>) -> Self {
        Text(Arc::new(NamedSource::new(name, text.into()).with_language("YAML")))
    }

    /// The name.
    pub(crate) fn name(&self) -> &str {
        self.0.name()
    }

    /// The text.
    pub(crate) fn text(&self) -> &str {
        self.0.inner()
    }

    /// The mistake at what stands at `place`.
    pub(crate) fn mistake(&self, place: Location, message: impl Into<String>) -> Mistake {
        self.mistake_at(self.bytes(place), message)
    }

    /// The mistake at some bytes of the text, cut to its first line.
    pub(crate) fn mistake_at(&self, bytes: Range<usize>, message: impl Into<String>) -> Mistake {
        let text = self.text();
        let start = text.floor_char_boundary(bytes.start.min(text.len()));
        let line_end = text[start..].find('\n').map_or(text.len(), |n| start + n);
        let before = &text[..start];
        Mistake {
            message: plain(&message.into()),
            line: before.matches('\n').count() + 1,
            column: before.chars().rev().take_while(|c| *c != '\n').count() + 1,
            help: None,
            source: self.clone(),
            span: (start, bytes.end.clamp(start, line_end) - start).into(),
        }
    }

    /// The bytes that `place` means. Where the reader gives a line and a column only: the character there.
    pub(crate) fn bytes(&self, place: Location) -> Range<usize> {
        let span = place.span();
        let known = |n: Option<u64>| n.and_then(|n| usize::try_from(n).ok());
        if let (Some(offset), Some(length)) = (known(span.byte_offset()), known(span.byte_len())) {
            return offset..offset.saturating_add(length);
        }
        let from_one = |n: u64| usize::try_from(n).unwrap_or(1).saturating_sub(1);
        let before: usize = self.text().split_inclusive('\n').take(from_one(place.line())).map(str::len).sum();
        let rest = &self.text()[before..];
        let at = rest.char_indices().nth(from_one(place.column())).map_or(rest.len(), |(at, _)| at);
        before + at..before + at + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_says_its_line_and_column_in_characters() {
        let text = Text::new("f.yaml", "a: 1\né: xyz\nb: 2\n");
        let start = text.text().find("xyz").expect("it is there");
        let mistake = text.mistake_at(start..start + 3, "wrong").with_help(Some("write x".to_owned()));
        assert_eq!(mistake.to_string(), "f.yaml:2:4: wrong");
        assert_eq!(mistake.help.as_deref(), Some("write x"));
    }

    #[test]
    fn no_place_is_outside_the_text() {
        let text = Text::new("f.yaml", "é");
        for (start, end) in [(1, 2), (0, 9), (7, 9), (2, 1)] {
            let mistake = text.mistake_at(start..end, "wrong");
            assert!(mistake.span.offset() + mistake.span.len() <= 2, "{mistake:?}");
            assert_eq!(mistake.line, 1);
        }
    }
}
