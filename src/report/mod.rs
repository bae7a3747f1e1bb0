//! Reports: one file per format, each written from an [`Assessment`] and from nothing else.
//!
//! A report is whole or it is not there: files are written beside their place and then renamed. This module must never
//! decide what a verdict means; that is `assess`.

pub mod escape;
pub mod json;
mod location;
pub mod sarif;
pub mod terminal;

pub use sarif::Profile;
pub use terminal::Style;

use crate::assess::Assessment;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A format that reports can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Format {
    /// SARIF 2.1.0, for code-scanning dashboards.
    Sarif,
    /// Everything, for programs.
    Json,
    /// The summary for people.
    #[value(alias = "terminal", alias = "txt")]
    Text,
}

impl Format {
    /// The format that files with such a name have: `.sarif` and `.sarif.json`, `.json`, `.txt`.
    pub fn of_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let by_ending = [
            (".sarif", Format::Sarif),
            (".sarif.json", Format::Sarif),
            (".json", Format::Json),
            (".txt", Format::Text),
        ];
        by_ending.into_iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, format)| format)
    }
}

/// Where a report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Standard output, asked for as `-`.
    Stdout,
    /// A file. SARIF of many accounts puts more files beside it (`name-2.sarif`, …).
    File(PathBuf),
}

impl Destination {
    /// `-` is standard output, everything else a file.
    pub fn of(argument: &Path) -> Self {
        if argument == Path::new("-") { Destination::Stdout } else { Destination::File(argument.to_owned()) }
    }
}

/// What reports contain and how they look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// What SARIF is for.
    pub profile: Profile,
    /// Whether JSON lists passes and not-applicables, those that the evaluation kept.
    pub all_verdicts: bool,
    /// How the summary looks on standard output; in files it has no colours.
    pub style: Style,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The files, in order; none for standard output.
    pub files: Vec<PathBuf>,
    /// Accounts that the SARIF profile leaves out because they were not read completely: say so.
    pub withheld: Vec<String>,
    /// A file that stands where a further part of the report would, and is of an earlier run: say so, for an upload
    /// of all parts would take it along.
    pub left_over: Option<PathBuf>,
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The file or its folder cannot be written.
    #[error("the report {path} could not be written: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Standard output cannot be written.
    #[error("the report could not be written to standard output: {0}")]
    Stdout(io::Error),
    /// The SARIF document cannot be serialized.
    #[error("the SARIF report could not be written: {0}")]
    Sarif(serde_json::Error),
    /// SARIF that needs several files was asked for on standard output.
    #[error("the SARIF report needs {files} files, because dashboards refuse larger ones: name a file with -o")]
    TooLargeForStdout {
        /// How many.
        files: usize,
    },
}

/// Writes one report.
///
/// # Errors
/// [`ReportError`]. Where a file cannot be written, what stood at its place stays as it was.
pub fn write(
    assessment: &Assessment<'_>,
    format: Format,
    destination: &Destination,
    options: Options,
) -> Result<Written, ReportError> {
    let style = match destination {
        Destination::Stdout => options.style,
        Destination::File(_) => Style::plain(),
    };
    match format {
        Format::Sarif => write_sarif(assessment, destination, options.profile),
        Format::Json => stream(destination, |out| json::json(assessment, options.all_verdicts, out)),
        Format::Text => stream(destination, |out| terminal::terminal(assessment, style, out)),
    }
}

fn stream(
    destination: &Destination,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<Written, ReportError> {
    match destination {
        Destination::Stdout => {
            let mut out = BufWriter::new(io::stdout().lock());
            write(&mut out).and_then(|()| out.flush()).map_err(ReportError::Stdout)?;
            Ok(Written::default())
        }
        Destination::File(path) => {
            atomically(path, write)?;
            Ok(Written { files: vec![path.clone()], ..Written::default() })
        }
    }
}

fn write_sarif(a: &Assessment<'_>, destination: &Destination, profile: Profile) -> Result<Written, ReportError> {
    let report = sarif::sarif(a, profile).map_err(ReportError::Sarif)?;
    let mut written = Written { withheld: report.withheld, ..Written::default() };
    match (destination, report.files.as_slice()) {
        (Destination::Stdout, [one]) => {
            let mut out = io::stdout().lock();
            out.write_all(&one.bytes).and_then(|()| out.flush()).map_err(ReportError::Stdout)?;
        }
        (Destination::Stdout, several) => return Err(ReportError::TooLargeForStdout { files: several.len() }),
        (Destination::File(path), files) => {
            for file in files {
                let path = with_suffix(path, &file.suffix);
                atomically(&path, |out| out.write_all(&file.bytes))?;
                written.files.push(path);
            }
            let next = with_suffix(path, &format!("-{}", files.len() + 1));
            written.left_over = next.is_file().then_some(next);
        }
    }
    Ok(written)
}

/// `out/name.sarif` with `-2` as `out/name-2.sarif`; `.sarif.json` stays together.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    if suffix.is_empty() {
        return path.to_owned();
    }
    let outer = path.extension();
    let stem = path.file_stem().map(Path::new).unwrap_or(path);
    let (stem, inner) = match stem.extension() {
        Some(inner) if inner == "sarif" && outer.is_some() => {
            (stem.file_stem().map(Path::new).unwrap_or(stem), Some(inner))
        }
        _ => (stem, None),
    };
    let mut name = OsString::from(stem);
    name.push(suffix);
    for ending in [inner, outer].into_iter().flatten() {
        name.push(".");
        name.push(ending);
    }
    path.with_file_name(name)
}

/// Writes to a temporary file in the same folder, then renames it over `path`. What is no plain file (`/dev/null`, a
/// pipe) is written to as it is: a rename would put a file in its place.
fn atomically(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), ReportError> {
    let fault = |source| ReportError::File { path: path.to_owned(), source };
    // A link is followed, as every program does that writes to it.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&target).is_ok_and(|m| !m.is_file() && !m.is_dir()) {
        let mut out = BufWriter::new(File::options().write(true).open(&target).map_err(fault)?);
        return write(&mut out).and_then(|()| out.flush()).map_err(fault);
    }
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut out = BufWriter::new(temporary(folder).map_err(fault)?);
    write(&mut out).map_err(fault)?;
    let file = out.into_inner().map_err(|e| fault(e.into_error()))?;
    file.as_file().sync_all().map_err(fault)?;
    file.persist(&target).map_err(|e| fault(e.error))?;
    Ok(())
}

/// A temporary file that can be read by whom the umask lets, as any file that a program makes.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    let builder = builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.prefix(".soc2scan-").tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::fixture::{DENIED, World};

    const OPTIONS: Options =
        Options { profile: Profile::Github, all_verdicts: false, style: Style { colour: true, width: 80 } };

    fn write_to(path: &Path, format: Format) -> Result<Written, ReportError> {
        World::sample().assess(false, |a| write(a, format, &Destination::of(path), OPTIONS))
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .expect("a folder")
            .map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn formats_are_known_by_the_ending_of_the_name() {
        for (name, format) in [
            ("a.sarif", Some(Format::Sarif)),
            ("out/A.SARIF.json", Some(Format::Sarif)),
            ("a.json", Some(Format::Json)),
            ("a.txt", Some(Format::Text)),
            ("sarif", None),
            ("a.pdf", None),
        ] {
            assert_eq!(Format::of_path(Path::new(name)), format, "{name}");
        }
    }

    #[test]
    fn a_part_of_an_earlier_report_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.sarif");
        assert_eq!(write_to(&path, Format::Sarif).expect("written").left_over, None);
        let other = folder.path().join("a-2.sarif");
        fs::write(&other, "{}").expect("written");
        assert_eq!(write_to(&path, Format::Sarif).expect("written").left_over, Some(other));
    }

    #[test]
    fn every_format_is_written_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, format) in [("a.json", Format::Json), ("b.sarif", Format::Sarif), ("c.txt", Format::Text)] {
            let path = folder.path().join(name);
            assert_eq!(write_to(&path, format).expect("written").files, std::slice::from_ref(&path));
            assert!(fs::read_to_string(&path).expect("read").ends_with('\n'));
        }
        assert_eq!(names(folder.path()), ["a.json", "b.sarif", "c.txt"]);
    }

    #[test]
    fn a_summary_in_a_file_has_no_colours() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.txt");
        write_to(&path, Format::Text).expect("written");
        assert!(!fs::read_to_string(&path).expect("read").contains('\u{1b}'));
    }

    #[test]
    fn withheld_accounts_are_told_to_the_caller() {
        let folder = tempfile::tempdir().expect("a folder");
        let written = write_to(&folder.path().join("a.sarif"), Format::Sarif).expect("written");
        assert_eq!(written.withheld, [DENIED]);
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_file_and_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.json");
        fs::write(&path, "old").expect("written");
        let result = atomically(&path, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("no space"))
        });
        assert!(matches!(result, Err(ReportError::File { .. })));
        assert_eq!(fs::read_to_string(&path).expect("read"), "old");
        assert_eq!(names(folder.path()), ["a.json"]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_that_names_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = write_to(&folder.path().join("no/a.json"), Format::Json).expect_err("refused");
        assert!(error.to_string().contains("no/a.json could not be written"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_devices_stay_devices() {
        let folder = tempfile::tempdir().expect("a folder");
        let (real, link) = (folder.path().join("real.json"), folder.path().join("link.json"));
        fs::write(&real, "old").expect("written");
        std::os::unix::fs::symlink(&real, &link).expect("linked");
        write_to(&link, Format::Json).expect("written");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_ne!(fs::read_to_string(&real).expect("read"), "old");
        let device = folder.path().join("device.json");
        std::os::unix::fs::symlink("/dev/null", &device).expect("linked");
        write_to(&device, Format::Json).expect("written");
        assert!(!fs::metadata("/dev/null").expect("there").is_file());
    }

    #[test]
    fn further_files_are_named_after_the_first() {
        for (name, expected) in [
            ("out/a.sarif", "out/a-2.sarif"),
            ("acme.prod.sarif", "acme.prod-2.sarif"),
            ("a.sarif.json", "a-2.sarif.json"),
            ("plain", "plain-2"),
            (".sarif", ".sarif-2"),
        ] {
            assert_eq!(with_suffix(Path::new(name), "-2"), Path::new(expected));
        }
        assert_eq!(with_suffix(Path::new("a.sarif"), ""), Path::new("a.sarif"));
    }
}
