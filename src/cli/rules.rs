//! `rules`: what is judged, listed, shown, and tested by the tests inside the rule files.

use super::arguments::{Global, Listing, Rules};
use super::console::Console;
use super::data::{Chosen, Sources, unknown};
use super::exit::{End, Exit};
use super::failure::Failure;
use super::listing;
use crate::rules::{Rule, RulePack, TestOutcome};
use serde_json::{Value, json};
use std::io::{self, Write};

/// Runs `rules list`, `rules show` or `rules test`.
pub(super) fn run(command: &Rules, global: &Global, console: &Console) -> Result<End, Failure> {
    match command {
        Rules::List { selection, listing, data } => {
            let chosen = Sources::new(data, global)?.choose(selection, console)?;
            list(&chosen.pack, listing, console)
        }
        Rules::Show { rule, listing, data } => {
            let sources = Sources::new(data, global)?;
            show(&sources.rules(&sources.collectors()?.schemas())?, rule, listing, console)
        }
        Rules::Test { selection, listing, data } => {
            test(Sources::new(data, global)?.choose(selection, console)?, listing, console)
        }
    }
}

fn list(pack: &RulePack, listing: &Listing, console: &Console) -> Result<End, Failure> {
    let value = || (0..pack.rules.len()).map(|n| document(pack, n)).collect();
    let row = |r: &Rule| [r.id.clone(), r.severity.name().to_owned(), r.criteria.join(" "), r.title.clone()];
    let rows: Vec<_> = pack.rules.iter().map(row).collect();
    listing::print(listing.format, console, value, |out| listing::columns(out, &rows))?;
    Ok(End::printed())
}

fn show(pack: &RulePack, id: &str, listing: &Listing, console: &Console) -> Result<End, Failure> {
    let named = |r: &Rule| r.id == id || r.aliases.iter().any(|a| a == id);
    let n = pack
        .rules
        .iter()
        .position(named)
        .ok_or_else(|| unknown("rule", id, pack.rules.iter().map(|r| r.id.as_str()), "soc2scan rules list"))?;
    listing::print(listing.format, console, || document(pack, n), |out| write(out, pack, n))?;
    Ok(End::printed())
}

fn write(out: &mut dyn Write, pack: &RulePack, n: usize) -> io::Result<()> {
    let rule = &pack.rules[n];
    writeln!(out, "{}\n{}\n", rule.id, rule.title)?;
    listing::columns(
        out,
        &[
            ["  resource".into(), rule.resource_type.clone()],
            ["  severity".into(), rule.severity.name().into()],
            ["  relevance".into(), rule.relevance.name().into()],
            ["  criteria".into(), rule.criteria.join(", ")],
            ["  file".into(), rule.file.display().to_string()],
        ],
    )?;
    if !rule.params.is_empty() {
        writeln!(out, "\nParameters (soc2scan.yaml: rules.{}.params)", rule.id)?;
        for (name, value) in &rule.params {
            writeln!(out, "  {name}: {value}")?;
        }
    }
    if pack.asks_register(n) {
        writeln!(out, "\nRegister (soc2scan.yaml: register)\n  judges by the entity's own accounts and its vendors")?;
    }
    writeln!(out, "\nWhy")?;
    listing::paragraph(out, "  ", &rule.rationale)?;
    writeln!(out, "\nHow to mend it")?;
    listing::paragraph(out, "  ", &rule.remediation.text)?;
    for (what, text) in [("AWS CLI", &rule.remediation.cli), ("Terraform", &rule.remediation.terraform)] {
        if let Some(text) = text {
            writeln!(out, "\n{what}")?;
            text.trim_end().lines().try_for_each(|line| writeln!(out, "  {line}"))?;
        }
    }
    if !rule.equivalents.is_empty() {
        writeln!(out, "\nElsewhere")?;
        for (framework, ids) in &rule.equivalents {
            listing::paragraph(out, "  ", &format!("{framework}: {}", ids.join(", ")))?;
        }
    }
    if !rule.references.is_empty() {
        writeln!(out, "\nRead")?;
        rule.references.iter().try_for_each(|r| writeln!(out, "  {r}"))?;
    }
    Ok(())
}

fn document(pack: &RulePack, n: usize) -> Value {
    let rule = &pack.rules[n];
    json!({
        "id": rule.id,
        "aliases": rule.aliases,
        "title": rule.title,
        "service": rule.service,
        "resource": rule.resource_type,
        "severity": rule.severity,
        "relevance": rule.relevance,
        "criteria": rule.criteria,
        "rationale": rule.rationale,
        "params": rule.params,
        "asks_register": pack.asks_register(n),
        "remediation": {
            "text": rule.remediation.text,
            "cli": rule.remediation.cli,
            "terraform": rule.remediation.terraform,
        },
        "references": rule.references,
        "equivalents": rule.equivalents,
        "file": rule.file,
    })
}

fn test(chosen: Chosen, listing: &Listing, console: &Console) -> Result<End, Failure> {
    let rules = chosen.pack.rules.len();
    let outcomes = chosen.pack.test(&chosen.collectors.schemas());
    let failures: Vec<(&TestOutcome, &String)> =
        outcomes.iter().filter_map(|o| o.failure.as_ref().map(|f| (o, f))).collect();
    listing::print(
        listing.format,
        console,
        || json!(outcomes),
        |out| {
            failures
                .iter()
                .try_for_each(|(o, failure)| writeln!(out, "{}:{}: {}: {}: {failure}", o.file, o.line, o.rule, o.name))
        },
    )?;
    let all = format!("{} tests of {rules} rules", outcomes.len());
    Ok(match failures.len() {
        0 => End::new(Exit::Clean, format!("{all} passed")),
        n => End::new(Exit::Findings, format!("{n} of {all} failed")),
    })
}
