//! The summary for a terminal: what a security engineer wants to know first.
//!
//! By criterion and severity, the worst failures, what could not be read and which permission is missing. No line is
//! wider than asked, every string from AWS is made harmless, and nothing that was not proven is ever green: only a
//! supported criterion, a complete account, and a complete run without failures are.

use super::escape::visible;
use crate::assess::coverage::NotCollected;
use crate::assess::{AccountCoverage, Assessment, Category, CriterionResult, Finding, Hindrance, NotRead, State};
use crate::inventory::{Reason, TOOL_VERSION};
use crate::rules::{Counts, Register, Rule, Severity, Subject, Verdict};
use anstyle::{AnsiColor, Style as Paint};
use std::collections::BTreeMap;
use std::io::{self, Write};
use unicode_width::UnicodeWidthChar;

/// Narrower than this the tables do not fit.
const NARROWEST: usize = 60;
/// Rules with failures that are shown, and failures of each.
const RULES_SHOWN: usize = 15;
const FAILURES_SHOWN: usize = 3;
/// Rows shown of every other list.
const ROWS_SHOWN: usize = 10;

/// How the summary looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to write colours.
    pub colour: bool,
    /// The number of columns; less than 60 counts as 60.
    pub width: usize,
}

impl Style {
    /// 80 columns; colours if `stream` is a terminal that has them, as `NO_COLOR`, `CLICOLOR` and `CLICOLOR_FORCE` say.
    pub fn of(stream: &impl anstream::stream::RawStream) -> Self {
        let choice = anstream::AutoStream::choice(stream);
        Style { colour: choice != anstream::ColorChoice::Never, width: 80 }
    }

    /// 80 columns without colours, for files.
    pub fn plain() -> Self {
        Style { colour: false, width: 80 }
    }
}

/// Writes the summary.
///
/// # Errors
/// Whatever `out` fails with.
pub fn terminal(assessment: &Assessment<'_>, style: Style, out: impl Write) -> io::Result<()> {
    let width = style.width.max(NARROWEST);
    let mut page = Page { out, colour: style.colour, width };
    header(&mut page, assessment)?;
    criteria(&mut page, assessment)?;
    severities(&mut page, assessment)?;
    failures(&mut page, assessment)?;
    for_a_person(&mut page, assessment)?;
    not_read(&mut page, assessment)?;
    closing(&mut page, assessment)?;
    page.out.flush()
}

const PLAIN: Paint = Paint::new();
const HEADING: Paint = Paint::new().bold();
const FAINT: Paint = Paint::new().dimmed();
const BAD: Paint = AnsiColor::Red.on_default().bold();
const OPEN: Paint = AnsiColor::Yellow.on_default();
const GOOD: Paint = AnsiColor::Green.on_default();

fn header<W: Write>(page: &mut Page<W>, a: &Assessment<'_>) -> io::Result<()> {
    let header = &a.snapshot.header;
    page.line(&[(HEADING, &format!("soc2scan {TOOL_VERSION}"))])?;
    let selected = count(a.pack.rules.len() as u64, "rule");
    let of = match a.scope.not_selected.len() {
        0 => selected,
        left_out => format!("{selected} of {}", a.pack.rules.len() + left_out),
    };
    let digest = a.pack.digest.get(..12).unwrap_or(&a.pack.digest);
    page.field("Rules", &format!("pack {}, {of}, digest {digest}", a.pack.version))?;
    if let Some(register) = register(&a.pack.register) {
        page.field("Register", &register)?;
    }
    page.field("Read", &format!("{:.0} to {:.0}", header.started, header.finished))?;
    if a.scope.as_of != header.finished {
        page.field("Judged", &format!("as of {:.0}", a.scope.as_of))?;
    }
    page.field("By", &header.principal)?;
    page.field("Calls", &calls(a))?;
    let mut accounts: Vec<&AccountCoverage<'_>> = a.coverage.accounts.iter().collect();
    accounts.sort_by_key(|account| account.complete());
    for account in accounts.into_iter().take(ROWS_SHOWN) {
        let (paint, word) = if account.complete() { (GOOD, "complete") } else { (OPEN, "INCOMPLETE") };
        let label = fit("Account", 9);
        let (who, extent) = whereabouts(account);
        let who = fit(&visible(&who), page.width - 20);
        page.line(&[(FAINT, &label), (PLAIN, &who), (PLAIN, " "), (paint, word)])?;
        page.wrapped(FAINT, "         ", &extent)?;
    }
    page.more(a.coverage.accounts.len(), ROWS_SHOWN, "account")
}

/// Whom the entity said that it knows, where it said anything.
fn register(register: &Register) -> Option<String> {
    if register.is_empty() {
        return None;
    }
    let vendors = match &register.vendors {
        Some(vendors) => count(vendors.len() as u64, "vendor"),
        None => "no vendors supplied".to_owned(),
    };
    let own = match register.own.accounts.as_ref().map_or(0, Vec::len) {
        0 => String::new(),
        n => format!(", {} of the entity", count(n as u64, "account")),
    };
    let digest = register.digest();
    Some(format!("{vendors}{own}, digest {}", digest.get(..12).unwrap_or(&digest)))
}

/// Who an account is, and how much of it was read.
fn whereabouts(account: &AccountCoverage<'_>) -> (String, String) {
    let resources = count(account.resources, "resource");
    let Some(scope) = account.scope else {
        return (format!("{}, which the header of the snapshot does not name", account.account), resources);
    };
    let name = scope.name.as_deref().map(|n| format!(" {n}")).unwrap_or_default();
    let regions = count(scope.regions.len() as u64, "region");
    let left_out = match scope.regions_left_out.len() {
        0 => String::new(),
        n => format!(" ({n} left out)"),
    };
    (format!("{}{name} ({})", account.account, scope.partition), format!("{regions}{left_out}, {resources}"))
}

fn calls(a: &Assessment<'_>) -> String {
    let mut by_outcome: BTreeMap<_, u64> = BTreeMap::new();
    for ((.., outcome), n) in &a.coverage.calls.counts {
        *by_outcome.entry(*outcome).or_default() += n;
    }
    let all: u64 = by_outcome.values().sum();
    let parts: Vec<String> =
        by_outcome.iter().map(|(o, n)| format!("{n} {}", format!("{o:?}").to_lowercase())).collect();
    if parts.is_empty() { "none recorded".into() } else { format!("{all}: {}", parts.join(", ")) }
}

fn criteria<W: Write>(page: &mut Page<W>, a: &Assessment<'_>) -> io::Result<()> {
    page.heading("Criteria")?;
    let title = page.width - 51;
    let columns = format!("{}{}{}{}", right("fail", 5), right("unknown", 8), right("manual", 7), right("pass/of", 10));
    page.line(&[(FAINT, &format!("{}{columns}", fit("", 21 + title)))])?;
    for category in Category::ALL {
        let rows: Vec<&CriterionResult<'_>> = a
            .criteria
            .iter()
            .filter(|c| c.criterion.category == category)
            .filter(|c| !matches!(c.state, State::NoAutomatedEvidence | State::OutOfScope))
            .collect();
        if rows.is_empty() {
            continue;
        }
        page.line(&[(HEADING, category.label())])?;
        for c in rows {
            criterion(page, c, title)?;
        }
    }
    condensed(page, a, "Only a person can show", Hindrance::ManualOnly)?;
    condensed(page, a, "No rule in this pack", Hindrance::NoRule)?;
    condensed(page, a, "Out of scope", Hindrance::CategoryOutOfScope)
}

fn criterion<W: Write>(page: &mut Page<W>, c: &CriterionResult<'_>, title: usize) -> io::Result<()> {
    let paint = match c.state {
        State::Gaps => BAD,
        State::Supported => GOOD,
        State::NotConcluded | State::NoAutomatedEvidence | State::OutOfScope => OPEN,
    };
    let v = c.verdicts();
    let numbers = format!("{}{}{}", right(&short(v.unknown), 8), right(&short(v.manual), 7), right(&pass_of(v), 10));
    page.line(&[
        (PLAIN, &fit(&format!(" {}", c.criterion.id), 7)),
        (PLAIN, &fit(&c.criterion.title, title)),
        (PLAIN, " "),
        (paint, &fit(c.state.label(), 13)),
        (if v.fail > 0 { BAD } else { PLAIN }, &right(&short(v.fail), 5)),
        (PLAIN, &numbers),
    ])?;
    if c.state != State::NotConcluded {
        return Ok(());
    }
    if c.only_manual_evidence_missing() {
        return page.wrapped(FAINT, "       ", "key rules pass; manual evidence not supplied");
    }
    // What a person must supply misses nearly everywhere; it is worth a line only where nothing else does.
    let why = c.hindrances.iter().filter(|h| **h != Hindrance::ManualEvidenceNotSupplied).map(|h| h.label());
    page.wrapped(FAINT, "       ", &why.collect::<Vec<_>>().join("; "))
}

/// Criteria that share the same reason for having no counts, on as few lines as they need.
fn condensed<W: Write>(page: &mut Page<W>, a: &Assessment<'_>, label: &str, why: Hindrance) -> io::Result<()> {
    let ids: Vec<&str> =
        a.criteria.iter().filter(|c| c.hindrances.contains(&why)).map(|c| c.criterion.id.as_str()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    page.line(&[(HEADING, &format!("{label} ({} of {})", ids.len(), a.criteria.len()))])?;
    page.wrapped(PLAIN, " ", &ids.join(" "))
}

fn severities<W: Write>(page: &mut Page<W>, a: &Assessment<'_>) -> io::Result<()> {
    page.heading("Verdicts by severity")?;
    let names = ["fail", "unknown", "manual", "pass", "n/a", "of"];
    let columns: String = names.iter().map(|n| right(n, 9)).collect();
    page.line(&[(FAINT, &format!("{}{columns}", fit("", 15)))])?;
    let rows = Severity::ALL.into_iter().map(|s| (s.name(), severity_paint(s), a.totals_of(s)));
    for (name, paint, v) in rows.chain([("all", HEADING, a.totals())]) {
        let rest: String =
            [v.unknown, v.manual, v.pass, v.not_applicable, v.total()].iter().map(|n| right(&short(*n), 9)).collect();
        let fail = (if v.fail > 0 { paint } else { PLAIN }, right(&short(v.fail), 9));
        page.line(&[(PLAIN, &fit(&format!(" {name}"), 15)), (fail.0, &fail.1), (PLAIN, &rest)])?;
    }
    Ok(())
}

fn severity_paint(severity: Severity) -> Paint {
    match severity {
        Severity::Critical | Severity::High => BAD,
        Severity::Medium => OPEN,
        Severity::Low | Severity::Informational => PLAIN,
    }
}

/// The failures of one rule: how many, and the first of them.
struct Failures<'a> {
    rule: &'a Rule,
    total: u64,
    first: Vec<Finding<'a>>,
}

fn failures<W: Write>(page: &mut Page<W>, a: &Assessment<'_>) -> io::Result<()> {
    let mut by_rule: BTreeMap<(Severity, &str), Failures<'_>> = BTreeMap::new();
    for f in a.findings().filter(|f| f.judgement.verdict == Verdict::Fail) {
        let key = (f.rule.severity, f.rule.id.as_str());
        let entry = by_rule.entry(key).or_insert(Failures { rule: f.rule, total: 0, first: Vec::new() });
        entry.total += 1;
        if entry.first.len() < FAILURES_SHOWN {
            entry.first.push(f);
        }
    }
    if by_rule.is_empty() {
        return Ok(());
    }
    page.heading("Failures, the worst first")?;
    for failures in by_rule.values().take(RULES_SHOWN) {
        let rule = failures.rule;
        let severity = fit(&format!(" {}", rule.severity.name()), 15);
        let n = right(&short(failures.total), 8);
        let what = fit(&format!("{} ({})", rule.id, rule.criteria.join(" ")), page.width - 23);
        page.line(&[(severity_paint(rule.severity), &severity), (HEADING, &what), (BAD, &n)])?;
        for f in &failures.first {
            page.wrapped(PLAIN, "   ", &visible(&f.judgement.reason))?;
            page.wrapped(FAINT, "     ", &place(&f.judgement.subject))?;
        }
        page.more(failures.total as usize, FAILURES_SHOWN, "failure")?;
    }
    page.more(by_rule.len(), RULES_SHOWN, "rule")
}

fn place(subject: &Subject<'_>) -> String {
    match subject {
        Subject::Resource(r) => format!("{} {} {}", visible(&r.account), visible(&r.region), visible(&r.arn)),
        Subject::Population { resource_type, account, region } => {
            format!("{} {} all of {}", visible(account), visible(region), visible(resource_type))
        }
    }
}

fn for_a_person<W: Write>(page: &mut Page<W>, a: &Assessment<'_>) -> io::Result<()> {
    let rules: Vec<_> = a.rules.iter().filter(|r| r.counts.manual > 0).collect();
    if rules.is_empty() {
        return Ok(());
    }
    page.heading("A person must look at")?;
    for r in rules.iter().take(ROWS_SHOWN) {
        let what = fit(&format!(" {}: {}", r.rule.id, visible(&r.rule.title)), page.width - 8);
        page.line(&[(PLAIN, &what), (OPEN, &right(&short(r.counts.manual), 8))])?;
    }
    page.more(rules.len(), ROWS_SHOWN, "rule")
}

fn not_read<W: Write>(page: &mut Page<W>, a: &Assessment<'_>) -> io::Result<()> {
    let coverage = &a.coverage;
    let (denied, other): (Vec<&NotRead>, Vec<&NotRead>) = coverage.not_read.iter().partition(|n| n.is_permission());
    let nothing = denied.is_empty() && other.is_empty() && coverage.incomplete.is_empty();
    if nothing && coverage.not_collected.is_empty() && !coverage.regions_left_out() {
        return Ok(());
    }
    page.heading("What could not be read")?;
    obstacles(page, "Permissions that are missing", &denied)?;
    obstacles(page, "Other failures", &other)?;
    if !coverage.incomplete.is_empty() {
        page.line(&[(HEADING, "Resources that were not listed to the end")])?;
        for p in coverage.incomplete.iter().take(ROWS_SHOWN) {
            let place = format!("{} {} {}", visible(&p.resource_type), visible(&p.account), visible(&p.region));
            page.wrapped(PLAIN, " ", &place)?;
        }
        page.more(coverage.incomplete.len(), ROWS_SHOWN, "listing")?;
    }
    if !coverage.not_collected.is_empty() {
        page.line(&[(HEADING, "Resource types that rules need and that were not collected")])?;
        for n in coverage.not_collected.iter().take(ROWS_SHOWN) {
            page.wrapped(PLAIN, " ", &not_collected(n))?;
        }
        page.more(coverage.not_collected.len(), ROWS_SHOWN, "resource type")?;
    }
    let left_out = coverage.accounts.iter().filter_map(|a| a.scope).filter(|s| !s.regions_left_out.is_empty());
    for scope in left_out.take(ROWS_SHOWN) {
        let regions = scope.regions_left_out.join(" ");
        page.wrapped(PLAIN, "", &format!("Regions left out of {}: {}", visible(&scope.account), visible(&regions)))?;
    }
    Ok(())
}

fn obstacles<W: Write>(page: &mut Page<W>, label: &str, all: &[&NotRead]) -> io::Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    page.line(&[(HEADING, label)])?;
    for n in all.iter().take(ROWS_SHOWN) {
        let action = if n.action.is_empty() { visible(&n.example) } else { visible(&n.action) };
        let what = match n.reason {
            Reason::Denied => action.into_owned(),
            reason => format!("{}: {action}", reason_label(reason)),
        };
        let blocks = format!("blocks {}", count(n.verdicts_blocked, "verdict"));
        let wide = page.width - 22;
        page.line(&[(PLAIN, &fit(&format!(" {what}"), wide)), (OPEN, &right(&blocks, 22))])?;
        let places = [&n.accounts, &n.regions].map(|set| few(set.iter().map(String::as_str)));
        page.wrapped(FAINT, "     ", &visible(&format!("in {}; {}", places[0], places[1])))?;
    }
    page.more(all.len(), ROWS_SHOWN, "cause")
}

fn reason_label(reason: Reason) -> &'static str {
    match reason {
        Reason::Denied => "denied",
        Reason::Throttled => "throttled",
        Reason::ExpiredCredentials => "credentials expired",
        Reason::Unreachable => "no answer",
        Reason::Malformed => "answer not readable",
        Reason::Failed => "failed",
        Reason::NotCollected => "not collected",
        Reason::NotUnderstood => "not understood",
        Reason::RuleFault => "rule failed",
        Reason::NotSupplied => "not supplied",
    }
}

fn not_collected(n: &NotCollected<'_>) -> String {
    let regions = if n.regions.is_empty() { "nowhere read".to_owned() } else { few(n.regions.iter().copied()) };
    format!("{} {}: {}", visible(n.resource_type), visible(n.account), visible(&regions))
}

fn closing<W: Write>(page: &mut Page<W>, a: &Assessment<'_>) -> io::Result<()> {
    page.line(&[])?;
    let v = a.totals();
    let complete = a.coverage.accounts.iter().filter(|c| c.complete()).count();
    let accounts = a.coverage.accounts.len();
    let of = count(accounts as u64, "account");
    let how = match a.complete() {
        true => format!("Complete: {complete} of {of}."),
        false if a.rules.is_empty() => "INCOMPLETE: no rule was selected.".to_owned(),
        false => format!("INCOMPLETE: {complete} of {of} complete."),
    };
    let paint = match (a.complete(), v.fail) {
        (_, 1..) => BAD,
        (true, 0) => GOOD,
        (false, 0) => OPEN,
    };
    let verdicts = format!(
        "{} of {}, {} unknown, {} for a person. {how}",
        count(v.fail, "failure"),
        count(v.total(), "verdict"),
        v.unknown,
        v.manual
    );
    page.wrapped(paint, "", &verdicts)?;
    page.wrapped(FAINT, "", "Evidence for an examination, not an audit opinion. All verdicts are in the JSON report.")
}

/// Where the lines go. Keeps every line within the width, and writes colours only where asked.
struct Page<W> {
    out: W,
    colour: bool,
    width: usize,
}

impl<W: Write> Page<W> {
    /// One line of painted parts; what does not fit is cut.
    fn line(&mut self, parts: &[(Paint, &str)]) -> io::Result<()> {
        let mut left = self.width;
        let filled = parts.iter().rposition(|(_, t)| !t.trim_end().is_empty()).map_or(0, |n| n + 1);
        for (n, (paint, text)) in parts[..filled].iter().enumerate() {
            let text = if n + 1 == filled { text.trim_end() } else { text };
            let text = clip(text, left);
            left -= width(&text);
            match self.colour && *paint != PLAIN {
                true => write!(self.out, "{paint}{text}{paint:#}")?,
                false => write!(self.out, "{text}")?,
            }
        }
        writeln!(self.out)
    }

    fn heading(&mut self, text: &str) -> io::Result<()> {
        self.line(&[])?;
        self.line(&[(HEADING, &text.to_uppercase())])
    }

    fn field(&mut self, label: &str, text: &str) -> io::Result<()> {
        let label = fit(label, 9);
        let text = visible(text);
        for (n, line) in wrap(&text, self.width - 9).iter().enumerate() {
            let label = if n == 0 { &label } else { "         " };
            self.line(&[(FAINT, label), (PLAIN, line)])?;
        }
        Ok(())
    }

    fn wrapped(&mut self, paint: Paint, indent: &str, text: &str) -> io::Result<()> {
        for line in wrap(text, self.width - indent.len()) {
            self.line(&[(PLAIN, indent), (paint, &line)])?;
        }
        Ok(())
    }

    /// Says how many of `all` were not shown, if any.
    fn more(&mut self, all: usize, shown: usize, noun: &str) -> io::Result<()> {
        match all.saturating_sub(shown) {
            0 => Ok(()),
            rest => {
                self.wrapped(FAINT, "   ", &format!("… and {} more, see the JSON report", count(rest as u64, noun)))
            }
        }
    }
}

/// The columns that a text takes, counted by character: never fewer than a terminal uses.
fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// The text, cut to at most `columns`, with an ellipsis where something is missing.
fn clip(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut clipped = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > columns {
            break;
        }
        clipped.push(c);
    }
    if columns > 0 {
        clipped.push('…');
    }
    clipped
}

/// The text in exactly `columns`: cut or filled up on the right.
fn fit(text: &str, columns: usize) -> String {
    let mut fitted = clip(text, columns);
    fitted.extend(std::iter::repeat_n(' ', columns - width(&fitted)));
    fitted
}

/// The text in exactly `columns`, at the right of them.
fn right(text: &str, columns: usize) -> String {
    let clipped = clip(text, columns);
    format!("{}{clipped}", " ".repeat(columns - width(&clipped)))
}

/// Lines of at most `columns`, broken at spaces, within a word only where it is longer than a line.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let needed = width(word) + usize::from(used > 0);
        if used > 0 && used + needed > columns {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        for c in word.chars() {
            let c_width = c.width().unwrap_or(0);
            if used + c_width > columns {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += c_width;
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// A number in at most four characters.
fn short(n: u64) -> String {
    match n {
        0..10_000 => n.to_string(),
        10_000..1_000_000 => format!("{}k", n / 1000),
        1_000_000..1_000_000_000 => format!("{}M", n / 1_000_000),
        _ => format!("{}G", n / 1_000_000_000),
    }
}

fn pass_of(v: Counts) -> String {
    format!("{}/{}", short(v.pass), short(v.total()))
}

fn count(n: u64, noun: &str) -> String {
    if n == 1 { format!("{n} {noun}") } else { format!("{n} {noun}s") }
}

/// The first few names, and how many more.
fn few<'s>(names: impl ExactSizeIterator<Item = &'s str>) -> String {
    const SHOWN: usize = 6;
    let rest = names.len().saturating_sub(SHOWN);
    let shown: Vec<&str> = names.take(SHOWN).collect();
    if rest == 0 { shown.join(" ") } else { format!("{} and {rest} more", shown.join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::Scope;
    use crate::assess::fixture::{HOSTILE, World, rule, time};
    use crate::rules::Relevance;
    use proptest::prelude::*;

    fn summary(world: &World, style: Style) -> String {
        let mut bytes = Vec::new();
        world.assess(false, |a| terminal(a, style, &mut bytes).expect("written"));
        String::from_utf8(bytes).expect("text")
    }

    fn plain(world: &World) -> String {
        summary(world, Style::plain())
    }

    fn coloured(world: &World) -> String {
        summary(world, Style { colour: true, width: 80 })
    }

    fn passing() -> World {
        let rule = rule("a", Severity::High, Relevance::Key, &["CC6.1"], "AWS::Test::Thing");
        World::empty().rule(rule).verdict("a", "x", Verdict::Pass)
    }

    fn green() -> String {
        GOOD.render().to_string()
    }

    #[test]
    fn the_summary_of_the_sample() {
        insta::assert_snapshot!(plain(&World::sample()).replace(TOOL_VERSION, "[version]"));
    }

    #[test]
    fn the_summary_of_a_clean_account() {
        insta::assert_snapshot!(plain(&passing()).replace(TOOL_VERSION, "[version]"));
    }

    #[test]
    fn a_register_is_told_where_one_was_supplied() {
        let with = |register: &str| {
            let mut world = passing();
            world.pack.register = serde_json::from_str(register).expect("a register");
            let text = plain(&world);
            text.lines().find(|l| l.starts_with("Register")).map(|l| l.split(", digest").next().unwrap_or(l).to_owned())
        };
        assert_eq!(with("{}"), None);
        assert_eq!(with(r#"{"vendors": []}"#).as_deref(), Some("Register 0 vendors"));
        let both = r#"{"own": {"accounts": ["444455556666"]}, "vendors": [{"name": "Datadog", "accounts": ["464622532012"]}]}"#;
        assert_eq!(with(both).as_deref(), Some("Register 1 vendor, 1 account of the entity"));
        let own = r#"{"own": {"accounts": ["444455556666"]}}"#;
        assert_eq!(with(own).as_deref(), Some("Register no vendors supplied, 1 account of the entity"));
    }

    #[test]
    fn no_line_is_wider_than_asked_whatever_the_names() {
        for columns in [60, 80, 133] {
            for world in [World::sample(), World::empty(), long_names()] {
                let text = summary(&world, Style { colour: false, width: columns });
                for line in text.lines() {
                    assert!(width(line) <= columns, "{} in {columns}: {line}", width(line));
                }
            }
        }
    }

    fn long_names() -> World {
        let mut world = World::sample();
        world.snapshot.header.principal = "長い名前/".repeat(50);
        world.snapshot.header.accounts[0].name = Some("名".repeat(100));
        world.rename(|id| format!("{id}-{}", "x".repeat(90)), &"é ".repeat(200));
        world
    }

    #[test]
    fn colours_change_nothing_but_the_colours() {
        let text = coloured(&World::sample());
        assert_eq!(anstream::adapter::strip_str(&text).to_string(), plain(&World::sample()));
        assert!(text.contains('\u{1b}') && !plain(&World::sample()).contains('\u{1b}'));
    }

    #[test]
    fn hostile_names_do_nothing_to_the_terminal() {
        let text = plain(&World::sample());
        assert!(HOSTILE.contains(['\u{1b}', '\u{202e}']));
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\r', '\t']));
        assert!(text.contains("<U+001B>[31m<U+202E>"));
    }

    #[test]
    fn only_what_was_proven_is_green() {
        let nothing_there = rule("b", Severity::High, Relevance::Key, &["A1.2"], "AWS::Test::Other");
        let world = passing().rule(nothing_there).verdict("a", "y", Verdict::Unknown);
        assert!(!coloured(&world).contains(&green()), "{}", coloured(&world));
    }

    #[test]
    fn a_complete_account_without_failures_is_green_and_its_criteria_wait_for_manual_evidence() {
        let text = coloured(&passing());
        let greens: Vec<&str> = text.lines().filter(|l| l.contains(&green())).collect();
        assert_eq!(greens.len(), 2, "{greens:?}");
        assert!(text.contains("key rules pass; manual evidence not supplied"));
    }

    #[test]
    fn a_supported_criterion_is_green() {
        let scope = Scope {
            evidence_supplied: ["CC6.1".to_owned()].into(),
            ..Scope::everything(time("2026-03-01T10:03:11.5Z"))
        };
        let mut bytes = Vec::new();
        let style = Style { colour: true, width: 80 };
        passing().assess_within(false, scope, |a| terminal(a, style, &mut bytes).expect("written"));
        let text = String::from_utf8(bytes).expect("text");
        assert!(text.contains(&format!("{}supported", green())), "{text}");
    }

    #[test]
    fn many_failures_are_cut_and_counted() {
        let mut world = passing();
        for n in 0..9 {
            world = world.verdict("a", &format!("f{n}"), Verdict::Fail);
        }
        let text = plain(&world);
        assert!(text.contains("… and 6 failures more, see the JSON report"), "{text}");
        assert!(text.contains("'f2' is fail.") && !text.contains("'f3' is fail."));
    }

    #[test]
    fn all_criteria_are_accounted_for() {
        let text = plain(&World::sample());
        let criteria = crate::assess::Criteria::embedded().expect("loads");
        let ids: Vec<&str> = criteria.iter().map(|c| c.id.as_str()).collect();
        assert!(ids.iter().all(|id| text.split_whitespace().any(|word| word == *id)));
        assert!(text.contains("Only a person can show (30 of 61)"));
    }

    proptest! {
        #[test]
        fn fitted_text_has_exactly_the_width(text in any::<String>(), columns in 0..50usize) {
            let text = visible(&text);
            prop_assert_eq!(width(&fit(&text, columns)), columns);
            prop_assert_eq!(width(&right(&text, columns)), columns);
        }

        #[test]
        fn wrapped_lines_fit_and_lose_nothing(text in any::<String>(), columns in 2..50usize) {
            let text = visible(&text);
            let lines = wrap(&text, columns);
            prop_assert!(lines.iter().all(|l| width(l) <= columns));
            let letters = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }

        #[test]
        fn short_numbers_are_short(n in any::<u64>()) {
            prop_assert!(n >= 10_000_000_000_000 || short(n).len() <= 5);
        }
    }
}
