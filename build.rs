//! Packs the data folders into compressed archives that the program embeds.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    for folder in ["rules", "collectors"] {
        println!("cargo::rerun-if-changed={folder}");
        let mut files = BTreeMap::new();
        gather(Path::new(folder), "", &mut files)?;
        let mut text = Vec::new();
        for (path, content) in &files {
            text.extend_from_slice(format!("{path}\0{}\0", content.len()).as_bytes());
            text.extend_from_slice(content.as_bytes());
        }
        fs::write(Path::new(&out).join(format!("{folder}.zst")), zstd::encode_all(&text[..], 19)?)?;
    }
    Ok(())
}

fn gather(folder: &Path, prefix: &str, files: &mut BTreeMap<String, String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else { continue };
        if path.is_dir() {
            gather(&path, &format!("{prefix}{name}/"), files)?;
        } else if name.ends_with(".yaml") {
            files.insert(format!("{prefix}{name}"), fs::read_to_string(&path)?);
        }
    }
    Ok(())
}
