//! The command line as it is typed. Nothing here decides anything: each command turns what it was given into plain
//! decided values once, so that no code behind it asks what a flag meant.

use crate::report::{Format, Profile};
use crate::rules::Severity;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use std::num::NonZeroU32;
use std::path::PathBuf;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXIT_CODES: &str = "\
Exit codes:
  0  clean: everything was read, and nothing failed at or above --fail-on
  1  findings: something failed at or above --fail-on
  2  could not run: usage, configuration, credentials, an unreadable or unwritable file
  3  incomplete: no such finding, but something could not be read
";

/// Reads an AWS account and judges it against the SOC 2 Trust Services Criteria: no green without proof.
#[derive(Debug, Parser)]
#[command(name = "soc2scan", version, styles = STYLES, max_term_width = 100)]
#[command(disable_help_subcommand = true, arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The configuration; ./soc2scan.yaml where it is there.
    ///
    /// Example: -c audit/soc2scan.yaml
    #[arg(short, long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// No summary, no progress: only reports, errors and the exit line.
    ///
    /// Example: -q -o out.sarif
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more on stderr; twice for every call.
    ///
    /// Example: -vv
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to use colour; NO_COLOR and CLICOLOR_FORCE are obeyed too.
    ///
    /// Example: --color never
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read an AWS account, judge it and report: `collect` and `evaluate` in one
    Scan(Scan),
    /// Read an AWS account into a snapshot file, without judging it
    Collect(Collect),
    /// Judge a snapshot file: no network, the same bytes every time
    Evaluate(Evaluate),
    /// Judge a recorded account that is part of this program: no AWS needed
    Demo(Demo),
    /// What is judged: the rules
    Rules {
        /// What to do with them.
        #[command(subcommand)]
        command: Rules,
    },
    /// The 61 Trust Services Criteria, and what a scan can say of each
    Criteria(Criteria),
    /// What is read: the resource types and their members
    Resources {
        /// What to do with them.
        #[command(subcommand)]
        command: Resources,
    },
    /// The least-privilege IAM policy that the selected rules need
    Permissions(Permissions),
    /// A completion script for a shell
    Completions(Completions),
}

/// `scan`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  soc2scan scan
  soc2scan scan --profile audit -o soc2scan.sarif -o soc2scan.json
  soc2scan scan --criteria CC6.1,CC6.6 --fail-on high
  soc2scan scan --regions eu-central-1,us-east-1 --snapshot account.soc2 -f json
")]
pub struct Scan {
    /// How AWS is reached.
    #[command(flatten)]
    pub connection: Connection,
    /// Which rules.
    #[command(flatten)]
    pub selection: Selection,
    /// How they judge.
    #[command(flatten)]
    pub judging: Judging,
    /// What is written.
    #[command(flatten)]
    pub output: Output,
    /// Keep what was read, to be judged again by `evaluate`.
    ///
    /// Example: --snapshot account.soc2
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub snapshot: Option<PathBuf>,
    /// Other data than the embedded.
    #[command(flatten)]
    pub data: Data,
}

/// `collect`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  soc2scan collect -o account.soc2
  soc2scan collect --services iam,s3 --regions eu-central-1 -o account.soc2
")]
pub struct Collect {
    /// How AWS is reached.
    #[command(flatten)]
    pub connection: Connection,
    /// For which rules.
    #[command(flatten)]
    pub selection: Selection,
    /// The snapshot file to write.
    ///
    /// Example: -o account.soc2
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub output: PathBuf,
    /// Other data than the embedded.
    #[command(flatten)]
    pub data: Data,
}

/// `evaluate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  soc2scan evaluate account.soc2
  soc2scan evaluate account.soc2 --all-verdicts -o soc2scan.json
  soc2scan evaluate account.soc2 --as-of 2026-03-31T23:59:59Z -f sarif
")]
pub struct Evaluate {
    /// A file that `collect` or `scan --snapshot` wrote.
    ///
    /// Example: account.soc2
    #[arg(value_name = "SNAPSHOT", value_hint = ValueHint::FilePath)]
    pub snapshot: PathBuf,
    /// Which rules.
    #[command(flatten)]
    pub selection: Selection,
    /// How they judge.
    #[command(flatten)]
    pub judging: Judging,
    /// What is written.
    #[command(flatten)]
    pub output: Output,
    /// Other data than the embedded.
    #[command(flatten)]
    pub data: Data,
}

/// `demo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without -o and -f it writes soc2scan-demo.sarif and soc2scan-demo.json into the current folder.
It exits with 0 whatever it shows, unless --fail-on is given.

Examples:
  soc2scan demo
  soc2scan demo --severity critical,high
  soc2scan demo -f json --all-verdicts
")]
pub struct Demo {
    /// Which rules.
    #[command(flatten)]
    pub selection: Selection,
    /// How they judge.
    #[command(flatten)]
    pub judging: Judging,
    /// What is written.
    #[command(flatten)]
    pub output: Output,
    /// Other data than the embedded.
    #[command(flatten)]
    pub data: Data,
}

/// `rules …`.
#[derive(Debug, Subcommand)]
pub enum Rules {
    /// List the selected rules
    #[command(after_help = "\
Examples:
  soc2scan rules list
  soc2scan rules list --criteria CC6.1 --severity critical,high
  soc2scan rules list --services s3 -f json
")]
    List {
        /// Which rules.
        #[command(flatten)]
        selection: Selection,
        /// Text or JSON.
        #[command(flatten)]
        listing: Listing,
        /// Other data than the embedded.
        #[command(flatten)]
        data: Data,
    },
    /// Show one rule: what it asks, why, and how to mend a failure
    #[command(after_help = "\
Examples:
  soc2scan rules show iam-root-mfa-enabled
  soc2scan rules show iam-root-mfa-enabled -f json
")]
    Show {
        /// Its id.
        ///
        /// Example: iam-root-mfa-enabled
        #[arg(value_name = "RULE")]
        rule: String,
        /// Text or JSON.
        #[command(flatten)]
        listing: Listing,
        /// Other data than the embedded.
        #[command(flatten)]
        data: Data,
    },
    /// Run the tests inside the selected rule files
    #[command(after_help = "\
Exits with 1 where a test does not give what it expects.

Examples:
  soc2scan rules test
  soc2scan rules test --rules 'iam-*'
")]
    Test {
        /// Which rules.
        #[command(flatten)]
        selection: Selection,
        /// Text or JSON.
        #[command(flatten)]
        listing: Listing,
        /// Other data than the embedded.
        #[command(flatten)]
        data: Data,
    },
}

/// `criteria`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  soc2scan criteria
  soc2scan criteria CC6.1
  soc2scan criteria 'CC7.*' -f json
")]
pub struct Criteria {
    /// Only these, with what a person must supply; globs too.
    ///
    /// Example: CC6.1
    #[arg(value_name = "CRITERION")]
    pub criteria: Vec<String>,
    /// Text or JSON.
    #[command(flatten)]
    pub listing: Listing,
    /// Other data than the embedded.
    #[command(flatten)]
    pub data: Data,
}

/// `resources …`.
#[derive(Debug, Subcommand)]
pub enum Resources {
    /// List the resource types that can be read
    #[command(after_help = "\
Examples:
  soc2scan resources list
  soc2scan resources list -f json
")]
    List {
        /// Text or JSON.
        #[command(flatten)]
        listing: Listing,
        /// Other data than the embedded.
        #[command(flatten)]
        data: Data,
    },
    /// Show one resource type: its members, their types, and the IAM actions behind each
    #[command(after_help = "\
Examples:
  soc2scan resources show AWS::S3::Bucket
  soc2scan resources show AWS::RDS::DBSnapshot -f json
")]
    Show {
        /// Its CloudFormation type name.
        ///
        /// Example: AWS::S3::Bucket
        #[arg(value_name = "TYPE")]
        name: String,
        /// Text or JSON.
        #[command(flatten)]
        listing: Listing,
        /// Other data than the embedded.
        #[command(flatten)]
        data: Data,
    },
}

/// `permissions`.
#[derive(Debug, Args)]
#[command(after_help = "\
A managed policy holds 6144 characters. Where one is not enough, a JSON list of policies is printed, and -o
writes one file for each (policy.json, policy-2.json, …): attach them all.

Examples:
  soc2scan permissions
  soc2scan permissions --services iam,s3
  soc2scan permissions -o soc2scan-policy.json
")]
pub struct Permissions {
    /// For which rules.
    #[command(flatten)]
    pub selection: Selection,
    /// Write to a file instead of stdout.
    ///
    /// Example: -o soc2scan-policy.json
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Other data than the embedded.
    #[command(flatten)]
    pub data: Data,
}

/// `completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  soc2scan completions bash > ~/.local/share/bash-completion/completions/soc2scan
  soc2scan completions zsh > ~/.zfunc/_soc2scan
")]
pub struct Completions {
    /// Which shell.
    ///
    /// Example: zsh
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: Shell,
}

/// How AWS is reached.
#[derive(Debug, Args)]
#[command(next_help_heading = "AWS")]
pub struct Connection {
    /// The profile of ~/.aws/config to use.
    ///
    /// Example: --profile audit
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// The region to sign in at; all enabled regions are read whatever it is.
    ///
    /// Example: --region eu-central-1
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Read only these regions, and global services.
    ///
    /// Example: --regions eu-central-1,us-east-1
    #[arg(long, value_name = "REGION", value_delimiter = ',')]
    pub regions: Vec<String>,
    /// At most so many requests a second to each service and region.
    ///
    /// Example: --max-rps 5
    #[arg(long, value_name = "N")]
    pub max_rps: Option<NonZeroU32>,
}

/// Which rules. Several kinds narrow each other; several values of a kind add up.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Selection")]
pub struct Selection {
    /// Only these rules, by id or glob.
    ///
    /// Example: --rules 'iam-*,s3-bucket-kms-encryption'
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub rules: Vec<String>,
    /// Only rules for these criteria.
    ///
    /// Example: --criteria 'CC6.1,A1.*'
    #[arg(long, value_name = "CRITERION", value_delimiter = ',')]
    pub criteria: Vec<String>,
    /// Only rules of these severities: critical, high, medium, low, informational.
    ///
    /// Example: --severity critical,high
    #[arg(long, value_name = "SEVERITY", value_enum, value_delimiter = ',', hide_possible_values = true)]
    pub severity: Vec<Severity>,
    /// Only rules for these services.
    ///
    /// Example: --services iam,s3
    #[arg(long, value_name = "SERVICE", value_delimiter = ',')]
    pub services: Vec<String>,
}

/// How the rules judge.
#[derive(Debug, Args)]
#[command(next_help_heading = "Judging")]
pub struct Judging {
    /// Exit with 1 where something of this severity or worse failed; `never` for never [default: low].
    ///
    /// Example: --fail-on high
    #[arg(long, value_name = "SEVERITY", value_enum, hide_possible_values = true)]
    pub fail_on: Option<FailOn>,
    /// The time that ages are judged by, RFC 3339; the snapshot's own otherwise.
    ///
    /// Example: --as-of 2026-03-31T23:59:59Z
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    pub as_of: Option<jiff::Timestamp>,
    /// Report passes and not-applicables one by one too; they are always counted.
    ///
    /// Example: --all-verdicts
    #[arg(long)]
    pub all_verdicts: bool,
}

/// The severity from which a failure gives exit code 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// `critical` only.
    Critical,
    /// `high` and worse.
    High,
    /// `medium` and worse.
    Medium,
    /// `low` and worse.
    Low,
    /// Any failure.
    Informational,
    /// No failure.
    Never,
}

/// What is written.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// A report file, its format by extension: .sarif, .json, .txt; may be repeated.
    ///
    /// Example: -o soc2scan.sarif -o soc2scan.json
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Vec<PathBuf>,
    /// Print this report to stdout instead of the summary: sarif, json, text.
    ///
    /// Example: -f json
    #[arg(short, long, value_name = "FORMAT", value_enum, hide_possible_values = true)]
    pub format: Option<Format>,
    /// Which SARIF: `github` as code scanning takes it, `full` with passes and incomplete accounts.
    ///
    /// Example: --sarif-profile full
    #[arg(long, value_name = "PROFILE", value_enum, default_value_t = Profile::Github, hide_possible_values = true)]
    pub sarif_profile: Profile,
}

/// How lists are printed.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct Listing {
    /// Print as text or as JSON.
    ///
    /// Example: -f json
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t = ListFormat::Text)]
    pub format: ListFormat,
}

/// The formats of lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Data files of the user's own.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Data")]
pub struct Data {
    /// A folder of rule files that are added to the embedded ones, or replace those of the same id.
    ///
    /// Example: --rules-dir ./rules
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub rules_dir: Option<PathBuf>,
    /// A folder of collector files that are added to the embedded ones, or replace those of the same service.
    ///
    /// Example: --collectors-dir ./collectors
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub collectors_dir: Option<PathBuf>,
}

fn timestamp(text: &str) -> Result<jiff::Timestamp, String> {
    text.parse().map_err(|_| "expected an RFC 3339 time with its offset, such as 2026-03-31T23:59:59Z".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Command as Clap, CommandFactory};

    /// Calls `visit` with every command and its full name.
    fn walk(command: &Clap, name: &str, visit: &mut dyn FnMut(&Clap, &str)) {
        visit(command, name);
        for sub in command.get_subcommands() {
            walk(sub, &format!("{name} {}", sub.get_name()), visit);
        }
    }

    /// The words of a line as a shell would split it, up to a redirection.
    fn words(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (n, part) in line.split('\'').enumerate() {
            match n % 2 {
                0 => words.extend(part.split_whitespace().map(str::to_owned)),
                _ => words.push(part.to_owned()),
            }
        }
        words.into_iter().take_while(|w| w != ">").collect()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples_that_work_as_printed() {
        let mut seen = 0;
        walk(&Arguments::command(), "soc2scan", &mut |command, name| {
            if command.has_subcommands() {
                return;
            }
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples: Vec<&str> = help.lines().filter(|l| l.starts_with("  soc2scan ")).collect();
            assert!(!examples.is_empty(), "{name} has no example");
            for example in examples {
                assert!(example.trim().starts_with(name), "{example} stands in the help of {name}");
                if let Err(e) = Arguments::try_parse_from(words(example)) {
                    panic!("{example}: {e}");
                }
                seen += 1;
            }
        });
        assert!(seen > 20, "{seen}");
    }

    #[test]
    fn every_option_has_help_with_an_example_that_works() {
        walk(&Arguments::command(), "soc2scan", &mut |command, name| {
            for argument in command.get_arguments().filter(|a| !matches!(a.get_id().as_str(), "help" | "version")) {
                let help = argument.get_long_help().map(ToString::to_string).unwrap_or_default();
                let Some((_, example)) = help.split_once("Example: ") else {
                    panic!("{name}: {} has no example: {help}", argument.get_id());
                };
                if let Some(long) = argument.get_long() {
                    let given = words(example).first().cloned().unwrap_or_default();
                    let short = argument.get_short().map(|s| format!("-{s}")).unwrap_or_default();
                    let names_it = given == format!("--{long}") || (!short.is_empty() && given.starts_with(&short));
                    assert!(names_it, "{name}: the example of --{long} is {example}");
                }
            }
        });
    }
}
