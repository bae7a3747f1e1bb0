//! Ctrl-C: the run ends at once, and no file is half written.
//!
//! Files are renamed into place, so one that is there is whole. Between the beginning of a file and its renaming
//! the end is put off, so that no temporary file stays behind either.

use super::console;
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// What a shell makes of a program that SIGINT ended.
const CODE: i32 = 130;

static WRITING: Mutex<()> = Mutex::new(());

/// Puts off the end until the guard is dropped.
pub(super) fn put_off() -> MutexGuard<'static, ()> {
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Watches for Ctrl-C from now on. Where the system lets nobody watch, it ends the program as it always does.
pub(super) fn watch() {
    let watcher = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        if runtime.and_then(|r| r.block_on(tokio::signal::ctrl_c())).is_ok() {
            let _written = put_off();
            console::tell(&format!("\nsoc2scan: exit {CODE}: interrupted; no file is half written\n"));
            process::exit(CODE);
        }
    };
    if let Err(error) = thread::Builder::new().name("interrupt".into()).spawn(watcher) {
        tracing::warn!(%error, "Ctrl-C is not watched");
    }
}
