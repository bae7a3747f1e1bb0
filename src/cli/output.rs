//! Where reports go: files, each with its format, and what stdout carries. Decided and checked before the work
//! begins, so that an hour of reading is never lost to a folder that is not there.

use super::arguments::Output;
use super::console::Console;
use super::failure::Failure;
use super::interrupt;
use crate::assess::Assessment;
use crate::report::{self, Destination, Format, Options, Profile, ReportError, Style};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What is written, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outputs {
    /// The report files.
    pub(super) files: Vec<ReportFile>,
    /// What stdout carries.
    pub(super) stdout: Stdout,
    /// Which SARIF.
    pub(super) profile: Profile,
}

/// A report file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReportFile {
    /// Where.
    pub(super) path: PathBuf,
    /// In which format.
    pub(super) format: Format,
}

/// What stdout carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stdout {
    /// The summary for a person.
    Summary,
    /// One report and nothing else.
    Report(Format),
    /// Nothing.
    Nothing,
}

impl Outputs {
    /// Decides what the options mean. A file's name tells its format; where it does not, `-f` does. A `-f` that no
    /// file takes is for stdout, and so is the file `-`. Where neither is given, `defaults` are written.
    ///
    /// # Errors
    /// A file without a format, two reports into one file, or two on stdout.
    pub(super) fn decide(raw: &Output, quiet: bool, defaults: &[&str]) -> Result<Outputs, Failure> {
        let mut files = Vec::new();
        let mut format_taken = false;
        for path in &raw.output {
            if Destination::of(path) == Destination::Stdout {
                raw.format.ok_or_else(|| no_format(path))?;
                continue;
            }
            let by_name = Format::of_path(path);
            format_taken |= by_name.is_none();
            let format = by_name.or(raw.format).ok_or_else(|| no_format(path))?;
            files.push(ReportFile { path: path.clone(), format });
        }
        if raw.output.is_empty() && raw.format.is_none() {
            let named = defaults.iter().map(PathBuf::from);
            files.extend(named.filter_map(|path| Some(ReportFile { format: Format::of_path(&path)?, path })));
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = raw.output.iter().find(|path| !seen.insert(*path)) {
            return Err(Failure::new(format_args!("-o {} is given twice", twice.display())));
        }
        let to_stdout = raw.output.iter().any(|path| Destination::of(path) == Destination::Stdout);
        let stdout = match raw.format {
            Some(format) if to_stdout || !format_taken => Stdout::Report(format),
            _ if quiet => Stdout::Nothing,
            _ => Stdout::Summary,
        };
        Ok(Outputs { files, stdout, profile: raw.sarif_profile })
    }

    /// Checks that every file can be written.
    ///
    /// # Errors
    /// All files that cannot.
    pub(super) fn check(&self) -> Result<(), Failure> {
        Failure::any(self.files.iter().filter_map(|f| check_writable(&f.path).err()))
    }

    /// Whether a report tells of passes one by one, though the JSON was not asked to.
    pub(super) fn tells_passes(&self) -> bool {
        let formats = self.files.iter().map(|f| f.format).chain(match self.stdout {
            Stdout::Report(format) => Some(format),
            _ => None,
        });
        self.profile == Profile::Full && formats.into_iter().any(|f| f == Format::Sarif)
    }

    /// Writes every report, and the summary.
    ///
    /// # Errors
    /// All reports that could not be written.
    pub(super) fn write(
        &self,
        assessment: &Assessment<'_>,
        all_verdicts: bool,
        console: &Console,
    ) -> Result<(), Failure> {
        let style = Style { colour: console.colour, width: 80 };
        let options = Options { profile: self.profile, all_verdicts, style };
        let mut withheld = BTreeSet::new();
        let mut left_over = Vec::new();
        let mut failures = Vec::new();
        {
            let _whole = interrupt::put_off();
            for file in &self.files {
                match report::write(assessment, file.format, &Destination::File(file.path.clone()), options) {
                    Ok(written) => {
                        withheld.extend(written.withheld);
                        left_over.extend(written.left_over);
                    }
                    Err(e) => failures.push(Failure::new(e)),
                }
            }
        }
        let on_stdout = match self.stdout {
            Stdout::Summary => Some(Format::Text),
            Stdout::Report(format) => Some(format),
            Stdout::Nothing => None,
        };
        match on_stdout.map(|format| report::write(assessment, format, &Destination::Stdout, options)) {
            Some(Ok(written)) => withheld.extend(written.withheld),
            // A reader that has gone away has had what it wanted.
            Some(Err(ReportError::Stdout(e))) if e.kind() == io::ErrorKind::BrokenPipe => {}
            Some(Err(e)) => failures.push(Failure::new(e)),
            None => {}
        }
        for account in withheld {
            console.note(&format!(
                "account {account} was not read completely: SARIF for code scanning leaves it out, so that no alert is \
                 closed by mistake (--sarif-profile full has it)"
            ));
        }
        for path in left_over {
            console.note(&format!("{} is of an earlier run and no part of this report", path.display()));
        }
        Failure::any(failures)
    }
}

/// Checks that a report can be written to `path`, by putting a file into its folder and taking it away again.
///
/// # Errors
/// Where it cannot, and why.
fn check_writable(path: &Path) -> Result<(), Failure> {
    match fs::metadata(path) {
        Ok(there) if there.is_dir() => return Err(unwritable(path, &"it is a folder")),
        // A device or pipe is written to as it is; to open it now could wait for a reader for ever.
        Ok(there) if !there.is_file() => return Ok(()),
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(unwritable(path, &e)),
        _ => {}
    }
    if path.file_name().is_none() {
        return Err(unwritable(path, &"it names no file"));
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    tempfile::Builder::new().prefix(".soc2scan-").tempfile_in(folder).map(drop).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => unwritable(path, &format_args!("there is no folder {}", folder.display())),
        _ => unwritable(path, &e),
    })
}

/// Checks that a file can be renamed to `path`: as [`check_writable`], and nothing but a regular file may stand there
/// already, since a device or pipe would be replaced.
///
/// # Errors
/// Where it cannot, and why.
pub(super) fn check_replaceable(path: &Path) -> Result<(), Failure> {
    match fs::metadata(path) {
        Ok(there) if !there.is_file() && !there.is_dir() => Err(unwritable(path, &"it is not a regular file")),
        _ => check_writable(path),
    }
}

fn unwritable(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    let message = format!("{} cannot be written: {why}", path.display());
    Failure::with_help(message, "nothing was read or judged; name a file in a folder that exists and is writable")
}

fn no_format(path: &Path) -> Failure {
    Failure::with_help(
        format_args!("-o {}: its extension names no format", path.display()),
        "use .sarif, .json or .txt, or name the format with -f",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(files: &[&str], format: Option<Format>) -> Output {
        Output { output: files.iter().map(PathBuf::from).collect(), format, sarif_profile: Profile::Github }
    }

    fn formats(outputs: &Outputs) -> Vec<(&str, Format)> {
        outputs.files.iter().map(|f| (f.path.to_str().expect("text"), f.format)).collect()
    }

    #[test]
    fn files_take_their_format_from_their_extension_and_stdout_has_the_summary() {
        let outputs = Outputs::decide(&raw(&["a.SARIF", "b/c.json", "d.txt"], None), false, &[]).expect("decided");
        assert_eq!(
            formats(&outputs),
            [("a.SARIF", Format::Sarif), ("b/c.json", Format::Json), ("d.txt", Format::Text)]
        );
        assert_eq!(outputs.stdout, Stdout::Summary);
    }

    #[test]
    fn a_format_goes_to_stdout_unless_a_file_needs_it() {
        let decide = |files: &[&str]| Outputs::decide(&raw(files, Some(Format::Json)), false, &["x.sarif"]);
        let only_stdout = decide(&[]).expect("decided");
        assert_eq!((only_stdout.stdout, only_stdout.files.len()), (Stdout::Report(Format::Json), 0));
        let both = decide(&["a.sarif"]).expect("decided");
        assert_eq!((both.stdout, formats(&both)), (Stdout::Report(Format::Json), vec![("a.sarif", Format::Sarif)]));
        let taken = decide(&["report"]).expect("decided");
        assert_eq!((taken.stdout, formats(&taken)), (Stdout::Summary, vec![("report", Format::Json)]));
    }

    #[test]
    fn a_file_called_dash_is_stdout() {
        let decide = |files: &[&str], format| Outputs::decide(&raw(files, format), false, &[]);
        let both = decide(&["-", "a.sarif"], Some(Format::Json)).expect("decided");
        assert_eq!((both.stdout, both.files.len()), (Stdout::Report(Format::Json), 1));
        assert!(decide(&["-"], None).is_err());
        assert!(decide(&["-", "-"], Some(Format::Json)).is_err());
    }

    #[test]
    fn quiet_leaves_out_the_summary_and_nothing_else() {
        let summary = Outputs::decide(&raw(&["a.json"], None), true, &[]).expect("decided");
        assert_eq!((summary.stdout, summary.files.len()), (Stdout::Nothing, 1));
        let report = Outputs::decide(&raw(&[], Some(Format::Sarif)), true, &[]).expect("decided");
        assert_eq!(report.stdout, Stdout::Report(Format::Sarif));
    }

    #[test]
    fn defaults_are_written_where_nothing_is_asked_for() {
        let outputs = Outputs::decide(&raw(&[], None), false, &["d.sarif", "d.json"]).expect("decided");
        assert_eq!(formats(&outputs), [("d.sarif", Format::Sarif), ("d.json", Format::Json)]);
    }

    #[test]
    fn a_file_without_a_format_and_a_file_given_twice_are_refused() {
        assert!(Outputs::decide(&raw(&["report.xml"], None), false, &[]).is_err());
        assert!(Outputs::decide(&raw(&["a.json", "a.json"], None), false, &[]).is_err());
    }

    #[test]
    fn a_path_that_cannot_be_written_is_found_before_the_work() {
        let folder = tempfile::tempdir().expect("a folder");
        let why = |path: &Path| check_writable(path).expect_err("unwritable").why();
        assert!(why(&folder.path().join("no/out.json")).contains("there is no folder"));
        assert!(why(folder.path()).contains("it is a folder"));
        assert!(why(Path::new("/")).contains("cannot be written"));
        assert!(why(Path::new("")).contains("cannot be written"));
        check_writable(&folder.path().join("out.json")).expect("writable");
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 0, "the probe is taken away");
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_written_to_and_never_replaced() {
        check_writable(Path::new("/dev/null")).expect("writable as it is");
        let why = check_replaceable(Path::new("/dev/null")).expect_err("refused").why();
        assert!(why.contains("not a regular file"), "{why}");
    }
}
