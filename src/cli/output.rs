//! Where reports go: files, each with its format, and what stdout carries. Decided and checked before the work
//! begins, so that an hour of reading is never lost to a folder that is not there.

use super::arguments::{Output, ReportFormat, SarifProfile};
use super::failure::Failure;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What is written, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outputs {
    /// The report files.
    pub files: Vec<ReportFile>,
    /// What stdout carries.
    pub stdout: Stdout,
    /// Which SARIF.
    pub sarif_profile: SarifProfile,
}

/// A report file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    /// Where.
    pub path: PathBuf,
    /// In which format.
    pub format: ReportFormat,
}

/// What stdout carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdout {
    /// The summary for a person.
    Summary,
    /// One report and nothing else.
    Report(ReportFormat),
    /// Nothing.
    Nothing,
}

impl Outputs {
    /// Decides what the options mean. A file's extension names its format; where it names none, `-f` does. A `-f`
    /// that no file takes is for stdout. Where neither is given, `defaults` are written.
    ///
    /// # Errors
    /// A file without a format, or two reports into one file.
    pub fn decide(raw: &Output, quiet: bool, defaults: &[&str]) -> Result<Outputs, Failure> {
        let mut files = Vec::new();
        let mut format_taken = false;
        for path in &raw.output {
            let format = match (by_extension(path), raw.format) {
                (Some(format), _) => format,
                (None, Some(format)) => {
                    format_taken = true;
                    format
                }
                (None, None) => return Err(no_format(path)),
            };
            files.push(ReportFile { path: path.clone(), format });
        }
        if raw.output.is_empty() && raw.format.is_none() {
            let named = defaults.iter().map(PathBuf::from);
            files.extend(named.filter_map(|path| Some(ReportFile { format: by_extension(&path)?, path })));
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = files.iter().find(|f| !seen.insert(&f.path)) {
            return Err(Failure::new(format_args!("-o {} is given twice", twice.path.display())));
        }
        let stdout = match raw.format {
            Some(format) if !format_taken => Stdout::Report(format),
            _ if quiet => Stdout::Nothing,
            _ => Stdout::Summary,
        };
        Ok(Outputs { files, stdout, sarif_profile: raw.sarif_profile })
    }

    /// Checks that every file can be written.
    ///
    /// # Errors
    /// All files that cannot.
    pub fn check(&self) -> Result<(), Failure> {
        Failure::any(self.files.iter().filter_map(|f| check_writable(&f.path).err()))
    }
}

/// Checks that a file can be put at `path`, by putting one into its folder and taking it away again. Reports are
/// renamed into place, so nothing but a regular file may stand there already: a device or a pipe would be replaced.
///
/// # Errors
/// Where it cannot, and why.
pub fn check_writable(path: &Path) -> Result<(), Failure> {
    let unwritable = |why: &dyn std::fmt::Display| {
        let message = format!("{} cannot be written: {why}", path.display());
        Failure::with_help(message, "nothing was read from AWS; name a file in a folder that exists and is writable")
    };
    match fs::metadata(path) {
        Ok(there) if there.is_dir() => return Err(unwritable(&"it is a folder")),
        Ok(there) if !there.is_file() => return Err(unwritable(&"it is not a regular file; use -f for stdout")),
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(unwritable(&e)),
        _ => {}
    }
    if path.file_name().is_none() {
        return Err(unwritable(&"it names no file"));
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    tempfile::Builder::new().prefix(".soc2scan-").tempfile_in(folder).map(drop).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => unwritable(&format_args!("there is no folder {}", folder.display())),
        _ => unwritable(&e),
    })
}

fn by_extension(path: &Path) -> Option<ReportFormat> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "sarif" => Some(ReportFormat::Sarif),
        "json" => Some(ReportFormat::Json),
        "txt" => Some(ReportFormat::Text),
        _ => None,
    }
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

    fn raw(files: &[&str], format: Option<ReportFormat>) -> Output {
        Output { output: files.iter().map(PathBuf::from).collect(), format, sarif_profile: SarifProfile::Github }
    }

    fn formats(outputs: &Outputs) -> Vec<(&str, ReportFormat)> {
        outputs.files.iter().map(|f| (f.path.to_str().expect("text"), f.format)).collect()
    }

    #[test]
    fn files_take_their_format_from_their_extension_and_stdout_has_the_summary() {
        let outputs = Outputs::decide(&raw(&["a.SARIF", "b/c.json", "d.txt"], None), false, &[]).expect("decided");
        assert_eq!(
            formats(&outputs),
            [("a.SARIF", ReportFormat::Sarif), ("b/c.json", ReportFormat::Json), ("d.txt", ReportFormat::Text)]
        );
        assert_eq!(outputs.stdout, Stdout::Summary);
    }

    #[test]
    fn a_format_goes_to_stdout_unless_a_file_needs_it() {
        let decide = |files: &[&str]| Outputs::decide(&raw(files, Some(ReportFormat::Json)), false, &["x.sarif"]);
        let only_stdout = decide(&[]).expect("decided");
        assert_eq!((only_stdout.stdout, only_stdout.files.len()), (Stdout::Report(ReportFormat::Json), 0));
        let both = decide(&["a.sarif"]).expect("decided");
        assert_eq!(
            (both.stdout, formats(&both)),
            (Stdout::Report(ReportFormat::Json), vec![("a.sarif", ReportFormat::Sarif)])
        );
        let taken = decide(&["report"]).expect("decided");
        assert_eq!((taken.stdout, formats(&taken)), (Stdout::Summary, vec![("report", ReportFormat::Json)]));
    }

    #[test]
    fn quiet_leaves_out_the_summary_and_nothing_else() {
        let summary = Outputs::decide(&raw(&["a.json"], None), true, &[]).expect("decided");
        assert_eq!((summary.stdout, summary.files.len()), (Stdout::Nothing, 1));
        let report = Outputs::decide(&raw(&[], Some(ReportFormat::Sarif)), true, &[]).expect("decided");
        assert_eq!(report.stdout, Stdout::Report(ReportFormat::Sarif));
    }

    #[test]
    fn defaults_are_written_where_nothing_is_asked_for() {
        let outputs = Outputs::decide(&raw(&[], None), false, &["d.sarif", "d.json"]).expect("decided");
        assert_eq!(formats(&outputs), [("d.sarif", ReportFormat::Sarif), ("d.json", ReportFormat::Json)]);
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
    fn a_device_is_never_replaced_by_a_report() {
        let why = check_writable(Path::new("/dev/null")).expect_err("refused").why();
        assert!(why.contains("not a regular file"), "{why}");
    }
}
