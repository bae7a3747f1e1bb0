//! Data folders that `build.rs` packs into the program: API models, collectors, rules.
//!
//! A [`Pack`] holds files by name, each compressed on its own, so that one is read without the others. This module
//! only unpacks; it must never interpret what it gives.

use std::cell::RefCell;
use zstd::bulk::Decompressor;

thread_local! {
    /// Kept, for making one costs more than to unpack a small file.
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = RefCell::new(Decompressor::new().ok());
}

/// The files of one data folder.
#[derive(Debug)]
pub struct Pack {
    files: &'static [File],
}

/// Name, size in bytes when unpacked, and the zstd frame.
type File = (&'static str, usize, &'static [u8]);

impl Pack {
    /// The pack that `build.rs` wrote; files are sorted by path.
    pub const fn new(files: &'static [File]) -> Self {
        Pack { files }
    }

    /// The names of the files: paths below the folder, without extension, `/` between parts.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.files.iter().map(|(name, ..)| *name)
    }

    /// The text of the file of that name; `None` where the pack has none.
    pub fn read(&self, name: &str) -> Option<String> {
        let (_, size, frame) = self.files.iter().find(|(n, ..)| *n == name)?;
        let bytes =
            DECOMPRESSOR.with_borrow_mut(|decompressor| decompressor.as_mut()?.decompress(frame, *size).ok())?;
        String::from_utf8(bytes).ok()
    }
}
