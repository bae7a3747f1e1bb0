//! Packs the data folders into the program: each file compressed with zstd into `OUT_DIR`, and a table of them.
//!
//! For a folder packed as `NAME` this writes `OUT_DIR/NAME.rs`, which is to be included where a
//! `soc2scan::embedded::Pack` is expected. A folder that is not there gives an empty pack.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How well to compress. Higher levels gain a few percent and cost seconds in a debug build.
const LEVEL: i32 = 9;

/// What happens to a file's text before it is compressed.
type Transform = fn(String) -> String;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    pack("MODELS", "models", "json", minify_json)?;
    pack("RULES", "rules", "yaml", std::convert::identity)?;
    pack("COLLECTORS", "collectors", "yaml", |text| text)?;
    Ok(())
}

/// Packs the files in `folder` that end in `.extension`; a file's name in the pack is its path below the folder,
/// with `/` between and without the extension.
fn pack(name: &str, folder: &str, extension: &str, transform: Transform) -> io::Result<()> {
    println!("cargo::rerun-if-changed={folder}");
    let out = PathBuf::from(std::env::var("OUT_DIR").map_err(io::Error::other)?);
    let root = Path::new(&std::env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join(folder);
    let mut table = String::from("crate::embedded::Pack::new(&[\n");
    for path in files(&root, extension)? {
        let relative = path.strip_prefix(&root).map_err(io::Error::other)?.with_extension("");
        let key = relative.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
        let text = transform(fs::read_to_string(&path)?);
        let compressed = zstd::bulk::compress(text.as_bytes(), LEVEL)?;
        let file = out.join(format!("{name}-{}.zst", key.replace('/', "+")));
        fs::write(&file, compressed)?;
        table += &format!("    ({key:?}, {}, include_bytes!({file:?})),\n", text.len());
    }
    table += "])\n";
    fs::write(out.join(format!("{name}.rs")), table)
}

/// All files below `folder` that end in `.extension`, sorted; none where the folder is missing.
fn files(folder: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            println!("cargo::rerun-if-changed={}", path.display());
            found.extend(files(&path, extension)?);
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// JSON without the white space between its tokens.
fn minify_json(text: String) -> String {
    let mut minified = String::with_capacity(text.len() / 2);
    let (mut in_string, mut escaped) = (false, false);
    for c in text.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c.is_ascii_whitespace() {
            continue;
        } else {
            in_string = c == '"';
        }
        minified.push(c);
    }
    minified
}
