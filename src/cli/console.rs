//! The streams of the process: what may be coloured, what is a terminal, and how a reader that went away is met.

use super::arguments::{Color, Global};
use super::exit::End;
use super::failure::Failure;
use anstream::AutoStream;
use std::io::{self, IsTerminal, Write};

/// The streams, decided once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Console {
    /// Neither summary nor progress.
    pub(super) quiet: bool,
    /// Stdout takes colour.
    pub(super) colour: bool,
    /// Stderr takes colour.
    pub(super) stderr_colour: bool,
    stderr_terminal: bool,
}

impl Console {
    /// Decides by the options, the environment (`NO_COLOR`, `CLICOLOR_FORCE`, `TERM`) and the streams.
    pub(super) fn new(global: &Global) -> Self {
        match global.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
        Console {
            quiet: global.quiet,
            colour: AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never,
            stderr_colour: AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never,
            stderr_terminal: io::stderr().is_terminal(),
        }
    }

    /// Progress is shown only where somebody sees it.
    pub(super) fn shows_progress(&self) -> bool {
        self.stderr_terminal && !self.quiet
    }

    /// Gives `write` the standard output. A reader that has gone away (`soc2scan … | head`) has had what it
    /// wanted: that is no failure.
    ///
    /// # Errors
    /// Any other failure of `write`.
    pub(super) fn print(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        match write(&mut out).and_then(|()| out.flush()) {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(e) => Err(Failure::new(format_args!("stdout could not be written: {e}"))),
            Ok(()) => Ok(()),
        }
    }

    /// Shows a failure on stderr.
    pub(super) fn show(&self, failure: &Failure) {
        tell(&failure.render(self.stderr_colour));
    }

    /// Says on stderr how the run ended.
    pub(super) fn say(&self, end: &End) {
        if let Some(line) = end.line() {
            tell(&(line + "\n"));
        }
    }

    /// A line on stderr that is worth reading, unless `--quiet`.
    pub(super) fn note(&self, line: &str) {
        if !self.quiet {
            tell(&format!("soc2scan: {line}\n"));
        }
    }
}

/// Writes to stderr. Where that fails nobody is there to be told.
pub(super) fn tell(text: &str) {
    let _nobody_listens = io::stderr().lock().write_all(text.as_bytes());
}
