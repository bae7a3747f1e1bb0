//! IAM sources that take more than a request: the credential report, and the document of a policy in force.
//!
//! The report is a file that IAM makes in the background, at most every four hours. It is asked for once in a
//! scan. A report that was not made for this scan because making it was denied is not used: how old it is would
//! be anybody's guess.

use super::api::{Api, ApiError};
use super::declaration::{Function, Request, Typed};
use super::declared::{Outcome, Run};
use super::document::{Draft, Here};
use super::fetch::Fetcher;
use super::path::Path;
use super::template::Ground;
use crate::inventory::resource::GLOBAL;
use crate::inventory::{Cause, Reason};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// The credential report of the account, made once.
#[derive(Default)]
pub(super) struct Reports(OnceCell<Arc<Result<Report, Cause>>>);

/// The rows of a credential report by user name.
#[derive(Debug, Default)]
pub(super) struct Report {
    rows: BTreeMap<String, Result<Map<String, Value>, String>>,
    generated: Option<String>,
}

/// How long to wait for the report. IAM takes seconds for small accounts and some minutes for the largest.
const REPORT_DEADLINE: Duration = Duration::from_secs(180);
/// The first pause between two looks; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// The name of the root user's row.
const ROOT: &str = "<root_account>";

/// What the report writes where it has no value (IAM User Guide, "Understanding the report format").
const NO_VALUE: [&str; 4] = ["N/A", "no_information", "not_supported", ""];

/// Answers a typed enrichment.
pub(super) async fn typed<A: Api>(run: &Run<'_, A>, typed: &Typed, draft: &Draft) -> Outcome {
    let api = run.fetcher.api();
    let here = Here { partition: api.partition(), account: api.account(), region: GLOBAL };
    let ground = here.ground(Some(&draft.document));
    match typed.function {
        Function::CredentialReport => row(&*run.reports.get(&run.fetcher, typed).await, typed, &ground, draft),
        Function::ConsoleUsers => console_users(&*run.reports.get(&run.fetcher, typed).await),
        Function::DefaultVersion => default_version(&run.fetcher, typed, &ground, draft).await,
        Function::BucketRegion | Function::ServiceControlPolicies => Outcome::Absent,
    }
}

fn row(report: &Result<Report, Cause>, typed: &Typed, ground: &Ground<'_>, draft: &Draft) -> Outcome {
    let report = match report {
        Ok(report) => report,
        Err(cause) => return Outcome::Unknown(cause.clone()),
    };
    let params = typed.params.resolve_present(ground);
    let user = params.get("user").and_then(Value::as_str).unwrap_or(&draft.id);
    let unreadable = |reason: Reason, message: String| {
        let action = typed.calls.last().map_or("", Request::action).to_owned();
        let account = ground.account.to_owned();
        Outcome::Unknown(Cause { action, account, region: GLOBAL.to_owned(), ..Cause::of(reason, message) })
    };
    match report.rows.get(user) {
        Some(Ok(row)) => {
            let mut row = row.clone();
            row.extend(report.generated.iter().map(|t| ("GeneratedTime".to_owned(), t.as_str().into())));
            Outcome::Value(row.into())
        }
        Some(Err(message)) => unreadable(Reason::Malformed, message.clone()),
        None => {
            let when = report.generated.as_deref().unwrap_or("an unknown time");
            unreadable(Reason::Failed, format!("the credential report of {when} has no row for {user} yet"))
        }
    }
}

fn console_users(report: &Result<Report, Cause>) -> Outcome {
    let report = match report {
        Ok(report) => report,
        Err(cause) => return Outcome::Unknown(cause.clone()),
    };
    let mut users = Vec::new();
    for (name, row) in report.rows.iter().filter(|(name, _)| *name != ROOT) {
        match row {
            Ok(row) if row.get("password_enabled") == Some(&Value::Bool(true)) => users.push(name.clone()),
            Ok(_) => {}
            Err(message) => return Outcome::Unknown(Cause::of(Reason::Malformed, message.clone())),
        }
    }
    Outcome::Value(users.into())
}

/// The document of the default version: out of the versions where they were read, else asked for.
async fn default_version<A: Api>(
    fetcher: &Fetcher<'_, A>,
    typed: &Typed,
    ground: &Ground<'_>,
    draft: &Draft,
) -> Outcome {
    let mut params = typed.params.resolve_present(ground);
    if let Some(Value::Array(versions)) = params.remove("versions") {
        let default = versions.iter().find(|v| v["IsDefaultVersion"] == true);
        if let Some(document) = default.and_then(|v| v.get("Document")).filter(|d| !d.is_null()) {
            return Outcome::Value(document.clone());
        }
    }
    let Some(request) = typed.may_call.first() else { return Outcome::Absent };
    match fetcher.answer(request, params.into(), GLOBAL, &draft.id).await {
        Ok(answer) => match Path::parse("PolicyVersion.Document").and_then(|p| p.take(answer)) {
            Some(document) => Outcome::Value(document),
            None => {
                let error = ApiError::malformed("the policy version has no document");
                Outcome::Unknown(fetcher.cause(request, &error, GLOBAL))
            }
        },
        Err(error) => Outcome::Unknown(fetcher.cause(request, &error, GLOBAL)),
    }
}

impl Reports {
    async fn get<A: Api>(&self, fetcher: &Fetcher<'_, A>, typed: &Typed) -> Arc<Result<Report, Cause>> {
        self.0.get_or_init(|| async { Arc::new(make(fetcher, typed).await) }).await.clone()
    }
}

/// Has the report made, waits for it, and reads it.
async fn make<A: Api>(fetcher: &Fetcher<'_, A>, typed: &Typed) -> Result<Report, Cause> {
    let [generate, get] = &typed.calls[..] else {
        return Err(Cause::of(Reason::Failed, "the collector names other calls than the report needs"));
    };
    let started = tokio::time::Instant::now();
    let mut pause = FIRST_PAUSE;
    start(fetcher, generate).await?;
    loop {
        let error = match ask(fetcher, get).await {
            Ok(answer) => {
                return read(&answer).map_err(|m| fetcher.cause(get, &ApiError::malformed(m), GLOBAL));
            }
            Err(error) => error,
        };
        // Codes of GetCredentialReport (IAM API reference).
        match error.code.as_str() {
            "ReportInProgress" => {}
            "ReportNotPresent" | "ReportExpired" => start(fetcher, generate).await?,
            _ => return Err(fetcher.cause(get, &error, GLOBAL)),
        }
        if started.elapsed() + pause > REPORT_DEADLINE {
            return Err(fetcher.cause(get, &error, GLOBAL));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn start<A: Api>(fetcher: &Fetcher<'_, A>, generate: &Request) -> Result<(), Cause> {
    match ask(fetcher, generate).await {
        Ok(_) => Ok(()),
        // Another request for it is under way.
        Err(error) if error.code == "LimitExceeded" => Ok(()),
        Err(error) => Err(fetcher.cause(generate, &error, GLOBAL)),
    }
}

async fn ask<A: Api>(fetcher: &Fetcher<'_, A>, request: &Request) -> Result<Value, ApiError> {
    fetcher.answer(request, Value::Object(Map::new()), GLOBAL, "").await
}

/// Reads the answer of `GetCredentialReport`.
fn read(answer: &Value) -> Result<Report, String> {
    let content = answer.get("Content").and_then(Value::as_str).ok_or("the answer has no content")?;
    let bytes = STANDARD.decode(content).map_err(|e| format!("the content is no base64: {e}"))?;
    let mut csv = csv::ReaderBuilder::new().flexible(true).from_reader(&bytes[..]);
    let header = csv.headers().map_err(|e| format!("the report is no CSV: {e}"))?.clone();
    let at = header.iter().position(|h| h == "user").ok_or("the report has no column `user`")?;
    let mut report = Report { generated: generated(answer), ..Report::default() };
    for record in csv.records() {
        let record = record.map_err(|e| format!("the report is no CSV: {e}"))?;
        let user = record.get(at).filter(|u| !u.is_empty()).ok_or("a row of the report has no user")?;
        let cells = header.iter().zip(record.iter());
        let row = match record.len() == header.len() {
            true => cells.map(|(column, cell)| typed_cell(column, cell)).collect::<Result<Vec<_>, _>>(),
            false => Err(format!("the row of {user} has {} cells, the header {}", record.len(), header.len())),
        };
        report.rows.insert(user.to_owned(), row.map(|cells| cells.into_iter().collect()));
    }
    Ok(report)
}

fn generated(answer: &Value) -> Option<String> {
    answer.get("GeneratedTime").and_then(Value::as_str).map(str::to_owned)
}

/// A cell as a member: a boolean, a time or text. Where the report has no value, the member is `<column>_status`
/// and says what stands there instead; the member itself is then absent.
fn typed_cell(column: &str, cell: &str) -> Result<(String, Value), String> {
    if NO_VALUE.contains(&cell) {
        return Ok((format!("{column}_status"), cell.into()));
    }
    let value = if column.ends_with("_active") || column == "password_enabled" {
        match cell {
            _ if cell.eq_ignore_ascii_case("true") => Value::Bool(true),
            _ if cell.eq_ignore_ascii_case("false") => Value::Bool(false),
            _ => return Err(format!("the report says `{cell}` in column {column}")),
        }
    } else if is_time(column) {
        let time: Timestamp = cell.parse().map_err(|_| format!("the report says `{cell}` in column {column}"))?;
        time.to_string().into()
    } else {
        cell.into()
    };
    Ok((column.to_owned(), value))
}

fn is_time(column: &str) -> bool {
    const ENDS: [&str; 6] =
        ["_time", "_last_used", "_last_changed", "_next_rotation", "_last_rotated", "_last_used_date"];
    ENDS.iter().any(|end| column.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn report(csv: &str) -> Result<Report, String> {
        read(&json!({"Content": STANDARD.encode(csv), "GeneratedTime": "2026-03-01T10:00:00Z"}))
    }

    #[test]
    fn cells_become_typed_members_and_what_is_no_value_is_told_apart() {
        let report = report(
            "user,password_enabled,password_last_used,mfa_active,access_key_1_last_used_region\n\
             alice,true,2026-02-28T09:00:00+00:00,FALSE,eu-west-1\n\
             <root_account>,not_supported,no_information,true,N/A\n",
        )
        .expect("a report");
        assert_eq!(
            report.rows["alice"].clone().map(Value::Object),
            Ok(json!({
                "user": "alice", "password_enabled": true, "password_last_used": "2026-02-28T09:00:00Z",
                "mfa_active": false, "access_key_1_last_used_region": "eu-west-1"
            }))
        );
        assert_eq!(
            report.rows[ROOT].clone().map(Value::Object),
            Ok(json!({
                "user": ROOT, "password_enabled_status": "not_supported",
                "password_last_used_status": "no_information", "mfa_active": true,
                "access_key_1_last_used_region_status": "N/A"
            }))
        );
    }

    #[test]
    fn a_cell_that_is_not_understood_makes_its_row_unreadable_and_no_other() {
        let report = report("user,mfa_active\nalice,maybe\nbob,true\n").expect("a report");
        assert!(report.rows["alice"].is_err());
        assert!(report.rows["bob"].is_ok());
    }

    #[test]
    fn a_row_that_was_cut_off_is_unreadable() {
        let report = report("user,mfa_active,cert_1_active\nalice,true\n").expect("a report");
        assert!(report.rows["alice"].is_err());
    }

    #[test]
    fn what_is_no_report_is_an_error() {
        assert!(read(&json!({})).is_err());
        assert!(read(&json!({"Content": "%%%"})).is_err());
        assert!(report("name\nalice\n").is_err());
    }
}
