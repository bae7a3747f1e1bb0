//! Reading an account: credentials, regions, plan, snapshot. What `scan` and `collect` share.

use super::arguments::Connection;
use super::console::Console;
use super::data::Chosen;
use super::failure::Failure;
use super::interrupt;
use super::progress::Bar;
use crate::aws::{Aws, Settings};
use crate::collect::{self, Plan};
use crate::inventory::Snapshot;
use std::io;
use std::path::Path;

/// Reads what `chosen` needs. `regions` are the configuration's, which `--regions` overrides.
pub(super) fn read(
    connection: &Connection,
    regions: Vec<String>,
    chosen: &Chosen,
    console: &Console,
) -> Result<Snapshot, Failure> {
    let wanted = if connection.regions.is_empty() { regions } else { connection.regions.clone() };
    let plan = Plan::new(&chosen.collectors, &chosen.needs());
    interrupt::watch();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|e: io::Error| Failure::new(format_args!("no threads could be started: {e}")))?;
    runtime.block_on(async {
        let bar = Bar::new(console);
        bar.say("signing in");
        let aws = Aws::connect(&settings(connection)).await.map_err(Failure::of)?;
        tracing::info!(principal = aws.principal(), account = aws.account(), "signed in");
        bar.say("asking for the regions");
        let scope = collect::Scope::of(&aws, &wanted).await.map_err(Failure::new)?;
        tracing::info!(regions = scope.regions.join(" "), types = plan.types().count(), "reading");
        Ok(collect::collect(&aws, &chosen.collectors, &plan, scope, &bar).await)
    })
}

fn settings(connection: &Connection) -> Settings {
    let defaults = Settings::default();
    Settings {
        profile: connection.profile.clone(),
        region: connection.region.clone(),
        max_rps: connection.max_rps.map_or(defaults.max_rps, |n| f64::from(n.get())),
        ..defaults
    }
}

/// Keeps `snapshot` at `path`.
pub(super) fn keep(snapshot: &Snapshot, path: &Path) -> Result<(), Failure> {
    let _whole = interrupt::put_off();
    Ok(snapshot.write(path)?)
}
