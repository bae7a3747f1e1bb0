//! How a run ended: the exit code, and the one line on stderr that says which and why.

use std::fmt;
use std::process::ExitCode;

/// The ways in which a run can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything was read, and nothing failed at or above the threshold.
    Clean,
    /// Something failed at or above the threshold.
    Findings,
    /// Usage, configuration, credentials, an unreadable or unwritable file.
    CouldNotRun,
    /// No such finding, but something could not be read.
    Incomplete,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::CouldNotRun => 2,
            Exit::Incomplete => 3,
        }
    }
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    exit: Exit,
    why: Option<String>,
}

impl End {
    /// An end with the reason for it, one sentence without a period.
    pub fn new(exit: Exit, why: impl Into<String>) -> Self {
        End { exit, why: Some(why.into()) }
    }

    /// The end of a command that only prints something: there is nothing to explain.
    pub fn printed() -> Self {
        End { exit: Exit::Clean, why: None }
    }

    /// How it ended.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// The line for stderr; `None` where there is nothing to explain.
    pub fn line(&self) -> Option<String> {
        self.why.as_ref().map(|_| format!("soc2scan: {self}"))
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {}: {}", self.exit.code(), self.why.as_deref().unwrap_or("done"))
    }
}

impl From<&End> for ExitCode {
    fn from(end: &End) -> Self {
        ExitCode::from(end.exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_the_code_and_the_reason() {
        let end = End::new(Exit::Incomplete, "iam:ListUsers was denied");
        assert_eq!(end.line().as_deref(), Some("soc2scan: exit 3: iam:ListUsers was denied"));
        assert_eq!(End::printed().line(), None);
    }
}
