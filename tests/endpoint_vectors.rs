//! The official endpoint cases: `../shared/vectors/endpoints`, or `$SOC2SCAN_VECTORS/endpoints`.

use serde::Deserialize;
use soc2scan::aws::endpoint::{EndpointParams, resolve, signing_name};
use std::path::PathBuf;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    region: String,
    fips: bool,
    dualstack: bool,
    url: String,
    signing_region: Option<String>,
    signing_name: Option<String>,
}

/// The folder with the cases, if it is there.
fn vectors() -> Option<PathBuf> {
    let root = std::env::var_os("SOC2SCAN_VECTORS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors"), PathBuf::from);
    let folder = root.join("endpoints");
    folder.is_dir().then_some(folder)
}

fn check(service: &str, case: &Case) -> Result<(), String> {
    let params = EndpointParams {
        region: case.region.clone(),
        fips: case.fips,
        dualstack: case.dualstack,
        ..EndpointParams::default()
    };
    let endpoint = resolve(service, &params).map_err(|e| e.to_string())?;
    let region = endpoint.signing_region.unwrap_or_else(|| case.region.clone());
    let name = endpoint.signing_name.or_else(|| signing_name(service).map(str::to_owned)).unwrap_or_default();
    if endpoint.url != case.url {
        return Err(format!("url is {}", endpoint.url));
    }
    if region != *case.signing_region.as_ref().unwrap_or(&case.region) {
        return Err(format!("signing region is {region}"));
    }
    match &case.signing_name {
        Some(wanted) if *wanted != name => Err(format!("signing name is {name}")),
        _ => Ok(()),
    }
}

#[test]
#[allow(clippy::print_stderr, reason = "a skipped test must say so")]
fn every_official_endpoint_case_resolves_as_it_says() {
    let Some(folder) = vectors() else {
        eprintln!("SKIPPED: no endpoint vectors at ../shared/vectors/endpoints; set SOC2SCAN_VECTORS");
        return;
    };
    let (mut cases, mut wrong) = (0, Vec::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Some(service) = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_suffix(".json")) else {
            continue;
        };
        let list: Vec<Case> = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for case in list {
            cases += 1;
            if let Err(why) = check(service, &case) {
                wrong.push(format!("{service} {case:?}: {why}"));
            }
        }
    }
    assert!(cases > 0, "the folder of endpoint vectors is empty");
    assert!(wrong.is_empty(), "{} of {cases} cases are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
