//! `criteria`: the 61 criteria, what a scan can say of each, and what a person must supply.

use super::arguments::{Criteria as Arguments, Global};
use super::console::Console;
use super::data::{self, Sources, unknown};
use super::exit::End;
use super::failure::Failure;
use super::listing;
use crate::assess::criteria::{Automation, Criteria, Criterion};
use crate::rules::{Relevance, Rule};
use serde_json::{Value, json};
use std::io::{self, Write};

/// Runs `criteria`.
pub(super) fn run(arguments: &Arguments, global: &Global, console: &Console) -> Result<End, Failure> {
    let criteria = data::criteria()?;
    let chosen = choose(&criteria, &arguments.criteria)?;
    let sources = Sources::new(&arguments.data, global)?;
    let pack = sources.rules(&sources.collectors()?.schemas())?;
    let all: Vec<(&Criterion, Vec<&Rule>)> =
        chosen.into_iter().map(|c| (c, pack.rules.iter().filter(|r| r.criteria.contains(&c.id)).collect())).collect();
    let value = || all.iter().map(|(c, rules)| document(c, rules)).collect();
    listing::print(arguments.listing.format, console, value, |out| {
        if arguments.criteria.is_empty() { list(out, &all) } else { show(out, &all) }
    })?;
    Ok(End::printed())
}

/// The criteria that match any of `patterns`; all where there are none.
fn choose<'c>(criteria: &'c Criteria, patterns: &[String]) -> Result<Vec<&'c Criterion>, Failure> {
    if patterns.is_empty() {
        return Ok(criteria.iter().collect());
    }
    let mut chosen = vec![false; criteria.iter().count()];
    for pattern in patterns {
        let glob = data::glob(pattern)?;
        for (chosen, criterion) in chosen.iter_mut().zip(criteria.iter()) {
            *chosen |= glob.is_match(&criterion.id);
        }
        if !criteria.iter().any(|c| glob.is_match(&c.id)) {
            return Err(unknown("criterion", pattern, criteria.iter().map(|c| c.id.as_str()), "soc2scan criteria"));
        }
    }
    Ok(criteria.iter().zip(chosen).filter(|(_, chosen)| *chosen).map(|(c, _)| c).collect())
}

fn count(rules: &[&Rule], relevance: Relevance) -> usize {
    rules.iter().filter(|r| r.relevance == relevance).count()
}

fn list(out: &mut dyn Write, all: &[(&Criterion, Vec<&Rule>)]) -> io::Result<()> {
    let rows: Vec<[String; 3]> = all
        .iter()
        .map(|(c, rules)| {
            let rules = match (c.automation, rules.len()) {
                (Automation::ManualOnly, _) => "manual only".to_owned(),
                (Automation::Partial, n) => format!("{n} rules, {} key", count(rules, Relevance::Key)),
            };
            [c.id.clone(), rules, c.title.clone()]
        })
        .collect();
    listing::columns(out, &rows)
}

fn show(out: &mut dyn Write, all: &[(&Criterion, Vec<&Rule>)]) -> io::Result<()> {
    for (n, (criterion, rules)) in all.iter().enumerate() {
        if n > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{} {} ({})", criterion.id, criterion.title, criterion.category.label())?;
        writeln!(out, "\n  A scan can prove:")?;
        listing::paragraph(out, "    ", &criterion.scan_can_prove)?;
        writeln!(out, "  A person must supply:")?;
        listing::paragraph(out, "    ", &criterion.person_must_supply)?;
        for relevance in [Relevance::Key, Relevance::Supporting, Relevance::Hygiene] {
            let of_it: Vec<[String; 2]> = rules
                .iter()
                .filter(|r| r.relevance == relevance)
                .map(|r| [format!("    {}", r.id), r.title.clone()])
                .collect();
            if !of_it.is_empty() {
                writeln!(out, "  Rules, {}:", relevance.name())?;
                listing::columns(out, &of_it)?;
            }
        }
    }
    Ok(())
}

fn document(criterion: &Criterion, rules: &[&Rule]) -> Value {
    let ids =
        |relevance| -> Value { rules.iter().filter(|r| r.relevance == relevance).map(|r| r.id.clone()).collect() };
    json!({
        "id": criterion.id,
        "category": criterion.category,
        "title": criterion.title,
        "automation": criterion.automation,
        "scan_can_prove": criterion.scan_can_prove,
        "person_must_supply": criterion.person_must_supply,
        "related": criterion.related,
        "rules": {
            "key": ids(Relevance::Key),
            "supporting": ids(Relevance::Supporting),
            "hygiene": ids(Relevance::Hygiene),
        },
    })
}
