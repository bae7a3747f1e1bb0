//! What is being read, as a bar on stderr. Only where somebody sees it; a log gets nothing.

use super::console::Console;
use crate::collect::{Event, Progress};
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A bar that is gone when it is dropped.
pub(super) struct Bar {
    bar: ProgressBar,
    resources: AtomicUsize,
}

impl Bar {
    /// A bar, or none where nobody would see it.
    pub(super) fn new(console: &Console) -> Self {
        let bar = if console.shows_progress() { ProgressBar::no_length() } else { ProgressBar::hidden() };
        let style = if console.stderr_colour {
            "{spinner:.cyan} {bar:30.cyan/dim} {pos}/{len} {wide_msg}"
        } else {
            "{spinner} {bar:30} {pos}/{len} {wide_msg}"
        };
        // The template is ours and a test reads it; the default style would do too.
        bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(120));
        Bar { bar, resources: AtomicUsize::new(0) }
    }

    /// Says what is being done before there is anything to count.
    pub(super) fn say(&self, message: &'static str) {
        self.bar.set_message(message);
    }
}

impl Progress for Bar {
    fn event(&self, event: Event<'_>) {
        tracing::debug!(?event, "collecting");
        match event {
            Event::Planned { populations } => self.bar.set_length(populations as u64),
            Event::Listed { .. } => {}
            Event::Read { resource_type, region, resources } => {
                let all = self.resources.fetch_add(resources, Ordering::Relaxed) + resources;
                self.bar.inc(1);
                self.bar.set_message(format!("{all} resources, {resource_type} {region}"));
            }
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_well_formed() {
        for template in
            ["{spinner:.cyan} {bar:30.cyan/dim} {pos}/{len} {wide_msg}", "{spinner} {bar:30} {pos}/{len} {wide_msg}"]
        {
            ProgressStyle::with_template(template).expect("well formed");
        }
    }
}
