//! Mistakes in the file, each at its place, so that the line itself can be shown.

use super::tree::{Position, SyntaxError};
use miette::{Diagnostic, NamedSource, SourceSpan};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It could not be read.
    #[error("{path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It could be read, and says what it must not.
    #[error("{} in the configuration", count(.0.len()))]
    Mistakes(
        /// All of them, in the order of the file; at least one.
        Vec<Mistake>,
    ),
}

fn count(n: usize) -> String {
    if n == 1 { "a mistake".into() } else { format!("{n} mistakes") }
}

/// One mistake: what, where, and what to write instead.
#[derive(Clone, Debug)]
pub struct Mistake {
    source: Source,
    /// Where.
    pub position: Position,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Mistake {
    /// The same mistake with what to do about it.
    pub(super) fn with_help(self, help: String) -> Self {
        Mistake { help: Some(help), ..self }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column, .. } = self.position;
        write!(f, "{}:{line}:{column}: {}", self.source.path.display(), self.message)
    }
}

impl std::error::Error for Mistake {}

impl Diagnostic for Mistake {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|h| Box::new(h) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&*self.source.named)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        let span = SourceSpan::from((self.position.offset, self.position.len));
        Some(Box::new(std::iter::once(miette::LabeledSpan::new_with_span(None, span))))
    }
}

/// The file, shared by all its mistakes.
#[derive(Clone, Debug)]
pub(super) struct Source {
    path: PathBuf,
    named: Arc<NamedSource<String>>,
}

impl Source {
    pub(super) fn new(path: &Path, text: String) -> Self {
        let named = Arc::new(NamedSource::new(path.display().to_string(), text).with_language("YAML"));
        Source { path: path.to_path_buf(), named }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn text(&self) -> &str {
        self.named.inner()
    }

    pub(super) fn mistake(&self, position: Position, message: String) -> Mistake {
        Mistake { source: self.clone(), position, message, help: None }
    }

    pub(super) fn syntax(&self, error: &SyntaxError) -> Mistake {
        self.mistake(error.position, error.message.clone())
    }
}
