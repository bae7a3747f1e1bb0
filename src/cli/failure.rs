//! Why a command could not do its work: one report or several, shown together, exit code 2.
//!
//! Messages may carry what AWS answered or what a file says; control characters never reach the terminal.

use crate::config::ConfigError;
use crate::inventory::SnapshotError;
use crate::mistake::plain;
use crate::rules;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use std::fmt;
use std::io;
use std::path::Path;

/// Why a command could not do its work.
pub struct Failure {
    reports: Vec<Box<dyn Diagnostic + Send + Sync>>,
}

impl Failure {
    /// One message: what was tried, on what, and what came of it.
    pub fn new(message: impl fmt::Display) -> Self {
        Failure::of(Problem { message: plain(&message.to_string()), help: None })
    }

    /// One message with what to do next.
    pub fn with_help(message: impl fmt::Display, help: impl fmt::Display) -> Self {
        Failure::of(Problem { message: plain(&message.to_string()), help: Some(plain(&help.to_string())) })
    }

    /// One report that knows its place in a file.
    pub fn of(report: impl Diagnostic + Send + Sync + 'static) -> Self {
        Failure { reports: vec![Box::new(report)] }
    }

    /// A file or folder could not be read or written.
    pub fn io(path: &Path, error: &io::Error) -> Self {
        Failure::new(format_args!("{}: {error}", path.display()))
    }

    /// Several failures as one.
    ///
    /// # Errors
    /// Where there is any.
    pub fn any(failures: impl IntoIterator<Item = Failure>) -> Result<(), Failure> {
        let reports: Vec<_> = failures.into_iter().flat_map(|f| f.reports).collect();
        if reports.is_empty() { Ok(()) } else { Err(Failure { reports }) }
    }

    /// All reports, as a terminal shows them.
    pub fn render(&self, colour: bool) -> String {
        let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        // Not wrapped: a message must be found by whoever searches a log for it.
        let handler = GraphicalReportHandler::new_themed(theme).with_wrap_lines(false).with_links(false);
        let mut text = String::new();
        for report in &self.reports {
            if handler.render_report(&mut text, &**report).is_err() {
                text.push_str(&report.to_string());
                text.push('\n');
            }
        }
        text
    }

    /// The first message, and how many more there are.
    pub fn why(&self) -> String {
        let first = self.reports.first().map(|r| r.to_string()).unwrap_or_default();
        match self.reports.len() {
            0 | 1 => first,
            n => format!("{first} (and {} more)", n - 1),
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Mistakes(all) => {
                Failure { reports: all.into_iter().map(|m| Box::new(m) as Box<dyn Diagnostic + Send + Sync>).collect() }
            }
            ConfigError::Unreadable { .. } => Failure::new(error),
        }
    }
}

impl From<rules::LoadError> for Failure {
    fn from(error: rules::LoadError) -> Self {
        match error {
            rules::LoadError::Mistakes(all) => {
                let reports = all.errors.into_iter().map(|e| Box::new(e) as Box<dyn Diagnostic + Send + Sync>);
                Failure { reports: reports.collect() }
            }
            other => Failure::of(other),
        }
    }
}

impl From<SnapshotError> for Failure {
    fn from(error: SnapshotError) -> Self {
        Failure::new(error)
    }
}

/// A message without a place.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Problem {
    message: String,
    help: Option<String>,
}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|h| Box::new(h) as Box<dyn fmt::Display>)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_mistake_in_a_file_is_shown_with_its_line() {
        let text = "scope:\n  regions: [eu-central-1]\nruls: {}\n";
        let failure = Failure::from(Config::parse(Path::new("soc2scan.yaml"), text.into()).expect_err("a mistake"));
        insta::assert_snapshot!("a_mistake", failure.render(false));
        assert_eq!(failure.why(), "soc2scan.yaml:3:1: there is no setting `ruls` here");
    }

    #[test]
    fn several_failures_are_all_shown() {
        let all = Failure::any([Failure::new("a is wrong"), Failure::with_help("b is wrong", "mend b")]);
        let all = all.expect_err("two failures");
        insta::assert_snapshot!("several", all.render(false));
        assert_eq!(all.why(), "a is wrong (and 1 more)");
        Failure::any([]).expect("no failure");
    }

    #[test]
    fn what_a_terminal_would_obey_is_not_shown_to_it_from_a_file_either() {
        let text = "register: { vendors: [{ name: \"a\\e[31m\\u202eb\" }] }";
        let failure = Failure::from(Config::parse(Path::new("soc2scan.yaml"), text.into()).expect_err("a mistake"));
        assert!(!failure.render(false).contains(['\u{1b}', '\u{202e}']));
        assert!(!failure.why().contains(['\u{1b}', '\u{202e}']));
    }

    #[test]
    fn what_a_terminal_would_obey_is_not_shown_to_it() {
        let failure = Failure::new("profile \u{1b}[31mred\u{202e}");
        assert!(!failure.render(false).contains(['\u{1b}', '\u{202e}']));
        assert!(!failure.why().contains('\u{1b}'));
    }
}
