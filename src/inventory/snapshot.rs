//! The snapshot: one file that holds an inventory, so that it can be judged again anywhere.
//!
//! Zstandard-compressed NDJSON. The first line is the header, the last the footer; between them one
//! line for each population, resource and call. The footer carries the number of the lines before it and the
//! SHA-256 over their bytes (newlines included): a file that ends without it, or does not match it, was cut
//! off or altered, and is refused. Readers refuse a `version` they do not know.

use super::{LedgerEntry, Population, Resource};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// The version of this program, as written into every output.
pub const TOOL_VERSION: &str = env!("CARGO_PKG_VERSION");

const FORMAT: &str = "soc2scan-snapshot";
const VERSION: u32 = 1;
/// Fast to write, and within a tenth of the size that higher levels reach on this data.
const COMPRESSION_LEVEL: i32 = 3;

/// One account that was to be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountScope {
    /// The 12-digit account id.
    pub account: String,
    /// The account's alias or name, where it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: String,
    /// The regions that were read, sorted.
    pub regions: Vec<String>,
    /// Enabled regions that were left out at the user's wish (`--regions`), sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions_left_out: Vec<String>,
}

/// What a snapshot is of, by whom and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the program that wrote it.
    pub tool_version: String,
    /// The first call, UTC.
    pub started: Timestamp,
    /// The last answer, UTC. Rules judge ages by this time.
    pub finished: Timestamp,
    /// The ARN that read the account (`GetCallerIdentity`).
    pub principal: String,
    /// The accounts and their regions, sorted by account.
    pub accounts: Vec<AccountScope>,
}

/// An inventory, whole in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// What it is of.
    pub header: Header,
    /// One for each resource type, account and region that was to be read.
    pub populations: Vec<Population>,
    /// Everything found, in the order of [`Snapshot::sort`].
    pub resources: Vec<Resource>,
    /// Every call made, in the order of [`Snapshot::sort`].
    pub ledger: Vec<LedgerEntry>,
}

/// Why a snapshot could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file could not be opened, read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is no snapshot.
    #[error("{path}: not a soc2scan snapshot ({detail}); expected a file written by `soc2scan collect` or `scan --snapshot`", path = path.display())]
    NotASnapshot {
        /// The file.
        path: PathBuf,
        /// What was found instead.
        detail: String,
    },
    /// A later program wrote it.
    #[error("{path}: snapshot format version {found}; this soc2scan reads version {VERSION}: use the soc2scan that wrote it, or a newer one", path = path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: u64,
    },
    /// It ends before its footer.
    #[error("{path}: truncated after line {lines}: the footer is missing; collect again, a part of an account must not be judged as the whole", path = path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Complete lines that were read.
        lines: u64,
    },
    /// Its content does not match its footer.
    #[error("{path}: damaged: {detail}; collect again", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not match.
        detail: String,
    },
    /// A line is not what it should be.
    #[error("{path}:{line}: {detail}", path = path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line of the uncompressed text, from 1.
        line: u64,
        /// What is wrong.
        detail: String,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum LineOut<'a> {
    Header(HeaderOut<'a>),
    Population(&'a Population),
    Resource(&'a Resource),
    Call(&'a LedgerEntry),
    Footer(Footer),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum LineIn {
    Header(HeaderIn),
    Population(Population),
    Resource(Box<Resource>),
    Call(LedgerEntry),
    Footer(Footer),
}

#[derive(Serialize)]
struct HeaderOut<'a> {
    format: &'static str,
    version: u32,
    #[serde(flatten)]
    header: &'a Header,
}

#[derive(Deserialize)]
struct HeaderIn {
    #[serde(flatten)]
    header: Header,
}

#[derive(Serialize, Deserialize)]
struct Footer {
    lines: u64,
    sha256: String,
}

impl Snapshot {
    /// Puts everything into one order that does not depend on which answer came first.
    pub fn sort(&mut self) {
        self.header.accounts.sort_by(|a, b| a.account.cmp(&b.account));
        self.populations
            .sort_by(|a, b| (&a.account, &a.region, &a.resource_type).cmp(&(&b.account, &b.region, &b.resource_type)));
        self.resources.sort_by(|a, b| {
            (&a.account, &a.resource_type, &a.region, &a.arn, &a.id).cmp(&(
                &b.account,
                &b.resource_type,
                &b.region,
                &b.arn,
                &b.id,
            ))
        });
        self.ledger.sort_by(|a, b| {
            (&a.account, &a.region, &a.service, &a.operation, &a.subject, a.page, a.time, &a.request_id).cmp(&(
                &b.account,
                &b.region,
                &b.service,
                &b.operation,
                &b.subject,
                b.page,
                b.time,
                &b.request_id,
            ))
        });
    }

    /// Writes the snapshot to `path`: to a temporary file beside it first, then renamed over it.
    ///
    /// # Errors
    /// [`SnapshotError::Io`] where the folder or file cannot be written; nothing is left behind.
    pub fn write(&self, path: &Path) -> Result<(), SnapshotError> {
        let io = |source| SnapshotError::Io { path: path.to_path_buf(), source };
        let folder = match path.parent() {
            Some(p) if !p.as_os_str().is_empty() => p,
            _ => Path::new("."),
        };
        let file = tempfile::Builder::new().prefix(".soc2scan-").tempfile_in(folder).map_err(io)?;
        let out = self.write_to(BufWriter::new(file)).map_err(io)?;
        let file = out.into_inner().map_err(|e| io(e.into_error()))?;
        file.as_file().sync_all().map_err(io)?;
        file.persist(path).map_err(|e| io(e.error))?;
        Ok(())
    }

    /// Writes the snapshot to `out` and gives it back, flushed.
    ///
    /// # Errors
    /// Whatever `out` fails with.
    pub fn write_to<W: Write>(&self, out: W) -> io::Result<W> {
        let mut lines = Lines {
            out: zstd::Encoder::new(out, COMPRESSION_LEVEL)?,
            digest: Sha256::new(),
            count: 0,
            buffer: Vec::new(),
        };
        lines.push(&LineOut::Header(HeaderOut { format: FORMAT, version: VERSION, header: &self.header }))?;
        for p in &self.populations {
            lines.push(&LineOut::Population(p))?;
        }
        for r in &self.resources {
            lines.push(&LineOut::Resource(r))?;
        }
        for c in &self.ledger {
            lines.push(&LineOut::Call(c))?;
        }
        let footer = Footer { lines: lines.count, sha256: hex::encode(lines.digest.clone().finalize()) };
        lines.push(&LineOut::Footer(footer))?;
        let mut out = lines.out.finish()?;
        out.flush()?;
        Ok(out)
    }

    /// Reads the snapshot at `path`.
    ///
    /// # Errors
    /// Every way in which the file can be unreadable, foreign, newer, cut off or altered has its own
    /// [`SnapshotError`].
    pub fn read(path: &Path) -> Result<Self, SnapshotError> {
        let file = File::open(path).map_err(|source| SnapshotError::Io { path: path.to_path_buf(), source })?;
        Self::read_from(file, path)
    }

    /// Reads a snapshot from `input`; `path` is what error messages call it.
    ///
    /// # Errors
    /// As [`Snapshot::read`].
    pub fn read_from<R: Read>(input: R, path: &Path) -> Result<Self, SnapshotError> {
        let path = path.to_path_buf();
        let foreign = |e: io::Error| SnapshotError::NotASnapshot { path: path.clone(), detail: e.to_string() };
        let mut reader = BufReader::with_capacity(1 << 18, zstd::Decoder::new(input).map_err(foreign)?);
        let mut digest = Sha256::new();
        let mut line = Vec::new();
        let mut number = 0u64;

        read_line(&mut reader, &mut line, &path, number)?;
        let header = read_header(&line, &path)?;
        digest.update(&line);
        number += 1;

        let mut snapshot = Snapshot { header, populations: Vec::new(), resources: Vec::new(), ledger: Vec::new() };
        loop {
            read_line(&mut reader, &mut line, &path, number)?;
            let at = number + 1;
            let parsed: LineIn = serde_json::from_slice(&line).map_err(|e| SnapshotError::Line {
                path: path.clone(),
                line: at,
                detail: e.to_string(),
            })?;
            match parsed {
                LineIn::Population(p) => snapshot.populations.push(p),
                LineIn::Resource(r) => snapshot.resources.push(*r),
                LineIn::Call(c) => snapshot.ledger.push(c),
                LineIn::Footer(footer) => {
                    check_footer(&footer, number, digest, &path)?;
                    check_end(&mut reader, &path)?;
                    return Ok(snapshot);
                }
                LineIn::Header(_) => {
                    return Err(SnapshotError::Line { path, line: at, detail: "a second header".into() });
                }
            }
            digest.update(&line);
            number += 1;
        }
    }
}

struct Lines<W: Write> {
    out: zstd::Encoder<'static, W>,
    digest: Sha256,
    count: u64,
    buffer: Vec<u8>,
}

impl<W: Write> Lines<W> {
    fn push(&mut self, line: &LineOut<'_>) -> io::Result<()> {
        self.buffer.clear();
        serde_json::to_writer(&mut self.buffer, line)?;
        self.buffer.push(b'\n');
        self.digest.update(&self.buffer);
        self.count += 1;
        self.out.write_all(&self.buffer)
    }
}

/// Reads one whole line with its newline; a missing newline means that the file was cut off there.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>, path: &Path, read: u64) -> Result<(), SnapshotError> {
    line.clear();
    match reader.read_until(b'\n', line) {
        Ok(_) if line.last() == Some(&b'\n') => Ok(()),
        Ok(0) if read == 0 => {
            Err(SnapshotError::NotASnapshot { path: path.to_path_buf(), detail: "the file is empty".into() })
        }
        Ok(_) => Err(SnapshotError::Truncated { path: path.to_path_buf(), lines: read }),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
            Err(SnapshotError::Truncated { path: path.to_path_buf(), lines: read })
        }
        Err(e) if read == 0 => Err(SnapshotError::NotASnapshot { path: path.to_path_buf(), detail: e.to_string() }),
        Err(e) => Err(SnapshotError::Damaged { path: path.to_path_buf(), detail: e.to_string() }),
    }
}

fn read_header(line: &[u8], path: &Path) -> Result<Header, SnapshotError> {
    let foreign = |detail: String| SnapshotError::NotASnapshot { path: path.to_path_buf(), detail };
    let value: serde_json::Value = serde_json::from_slice(line).map_err(|e| foreign(e.to_string()))?;
    let head = &value["header"];
    if head["format"] != FORMAT {
        return Err(foreign("its first line is no header".into()));
    }
    match head["version"].as_u64() {
        Some(v) if v == u64::from(VERSION) => {}
        Some(found) => return Err(SnapshotError::Version { path: path.to_path_buf(), found }),
        None => return Err(foreign("its header has no version".into())),
    }
    match serde_json::from_value(value) {
        Ok(LineIn::Header(h)) => Ok(h.header),
        Ok(_) => Err(foreign("its first line is no header".into())),
        Err(e) => Err(SnapshotError::Line { path: path.to_path_buf(), line: 1, detail: e.to_string() }),
    }
}

fn check_footer(footer: &Footer, lines: u64, digest: Sha256, path: &Path) -> Result<(), SnapshotError> {
    let damaged = |detail: String| Err(SnapshotError::Damaged { path: path.to_path_buf(), detail });
    if footer.lines != lines {
        return damaged(format!("{lines} lines before the footer, which says {}", footer.lines));
    }
    if footer.sha256 != hex::encode(digest.finalize()) {
        return damaged("the SHA-256 of its lines is not the one in its footer".into());
    }
    Ok(())
}

fn check_end(reader: &mut impl BufRead, path: &Path) -> Result<(), SnapshotError> {
    match reader.fill_buf() {
        Ok([]) => Ok(()),
        Ok(_) => {
            Err(SnapshotError::Damaged { path: path.to_path_buf(), detail: "there is more after the footer".into() })
        }
        Err(e) => Err(SnapshotError::Damaged { path: path.to_path_buf(), detail: e.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Snapshot {
        let time: Timestamp = "2026-03-01T10:00:00Z".parse().expect("a time");
        Snapshot {
            header: Header {
                tool_version: TOOL_VERSION.into(),
                started: time,
                finished: time,
                principal: "arn:aws:iam::111122223333:role/scan".into(),
                accounts: vec![],
            },
            populations: vec![Population {
                resource_type: "AWS::S3::Bucket".into(),
                account: "111122223333".into(),
                region: "global".into(),
                state: super::super::PopulationState::Complete,
            }],
            resources: vec![],
            ledger: vec![],
        }
    }

    fn bytes() -> Vec<u8> {
        sample().write_to(Vec::new()).expect("written")
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        assert_eq!(Snapshot::read_from(&bytes()[..], Path::new("s")).expect("read"), sample());
    }

    #[test]
    fn a_snapshot_cut_off_anywhere_is_never_read_as_whole() {
        let whole = bytes();
        for n in 0..whole.len() {
            assert!(Snapshot::read_from(&whole[..n], Path::new("s")).is_err(), "cut at {n}");
        }
    }

    #[test]
    fn a_missing_footer_is_called_truncated() {
        let text = zstd::decode_all(&bytes()[..]).expect("decoded");
        let cut = text[..text.len() - 1].iter().rposition(|b| *b == b'\n').expect("lines") + 1;
        let file = zstd::encode_all(&text[..cut], 3).expect("encoded");
        assert!(matches!(
            Snapshot::read_from(&file[..], Path::new("s")),
            Err(SnapshotError::Truncated { lines: 2, .. })
        ));
    }

    #[test]
    fn an_altered_line_is_called_damaged() {
        let text = String::from_utf8(zstd::decode_all(&bytes()[..]).expect("decoded")).expect("text");
        let file = zstd::encode_all(text.replace("111122223333", "999922223333").as_bytes(), 3).expect("encoded");
        assert!(matches!(Snapshot::read_from(&file[..], Path::new("s")), Err(SnapshotError::Damaged { .. })));
    }

    #[test]
    fn a_foreign_file_is_named_as_such() {
        assert!(matches!(
            Snapshot::read_from(&b"hello"[..], Path::new("s")),
            Err(SnapshotError::NotASnapshot { .. } | SnapshotError::Truncated { .. })
        ));
    }
}
