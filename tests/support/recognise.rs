//! Which operation of which service, in which region, a request asks for: read from the request itself and our
//! API models, as AWS's front doors do.

use soc2scan::model::{Operation, Protocol, ServiceModel, embedded};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// A request, as AWS sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The service, by its model's name (`ec2`).
    pub(crate) service: String,
    /// The operation (`DescribeInstances`).
    pub(crate) operation: String,
    /// The region that it is signed for.
    pub(crate) region: String,
    /// The protocol that an answer must speak.
    pub(crate) protocol: Protocol,
}

static MODELS: LazyLock<BTreeMap<&'static str, Arc<ServiceModel>>> =
    LazyLock::new(|| embedded::services().filter_map(|n| Some((n, embedded::service(n)?))).collect());

/// What `method`, `uri` (path and query), headers and `body` ask for; `None` for what no model knows.
pub(crate) fn recognise(method: &str, uri: &str, header: &dyn Fn(&str) -> String, body: &[u8]) -> Option<Asked> {
    let authorization = header("authorization");
    let (region, scope) = scope(&authorization).unwrap_or_default();
    let asked = |service: &str, operation: &str, protocol| Asked {
        service: service.to_owned(),
        operation: operation.to_owned(),
        region: region.clone(),
        protocol,
    };
    let target = header("x-amz-target");
    if let Some((prefix, operation)) = target.rsplit_once('.') {
        let (service, model) = MODELS.iter().find(|(_, m)| m.metadata.target_prefix.as_deref() == Some(prefix))?;
        return Some(asked(service, operation, model.metadata.protocol));
    }
    let candidates = || MODELS.iter().filter(|(_, m)| m.signing_name() == scope);
    let form = String::from_utf8_lossy(body);
    if let Some(action) = form.split('&').find_map(|p| p.strip_prefix("Action=")) {
        let speaks = |p| matches!(p, Protocol::Query | Protocol::Ec2);
        // The two generations of Elastic Load Balancing share names of operations, and differ in their version.
        let version = form.split('&').find_map(|p| p.strip_prefix("Version=")).unwrap_or_default();
        let (service, model) = candidates()
            .filter(|(_, m)| speaks(m.metadata.protocol))
            .max_by_key(|(_, m)| (m.metadata.api_version == version, m.operations.contains_key(action)))?;
        return Some(asked(service, action, model.metadata.protocol));
    }
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    candidates()
        .filter(|(_, m)| matches!(m.metadata.protocol, Protocol::RestJson | Protocol::RestXml))
        .flat_map(|(service, m)| m.operations.iter().map(move |(name, o)| (service, m, name, o)))
        .filter_map(|(service, m, name, o)| Some((likeness(o, method, path, query)?, service, m, name)))
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, service, m, name)| asked(service, name, m.metadata.protocol))
}

/// Region and signing name of a SigV4 header: `Credential=KEY/DATE/REGION/NAME/aws4_request`.
fn scope(authorization: &str) -> Option<(String, String)> {
    let credential = authorization.split("Credential=").nth(1)?.split(',').next()?;
    let mut parts = credential.rsplit('/');
    parts.next()?;
    let name = parts.next()?.to_owned();
    Some((parts.next()?.to_owned(), name))
}

/// How well a request fits the template of a REST operation, in parts that are the same word for word; `None`
/// where it does not fit.
fn likeness(operation: &Operation, method: &str, path: &str, query: &str) -> Option<usize> {
    if operation.http.method != method {
        return None;
    }
    let (template, fixed) = operation.http.request_uri.split_once('?').unwrap_or((&operation.http.request_uri, ""));
    let template: Vec<&str> = segments(template);
    let path: Vec<&str> = segments(path);
    let greedy = template.last().is_some_and(|t| t.ends_with("+}"));
    if template.len() != path.len() && !(greedy && path.len() > template.len()) {
        return None;
    }
    let mut same = 0;
    for (t, p) in template.iter().zip(&path) {
        match t.strip_prefix('{') {
            Some(_) => {}
            None if t == p => same += 1,
            None => return None,
        }
    }
    let given: Vec<&str> = query.split('&').map(|q| q.split('=').next().unwrap_or("")).collect();
    for want in fixed.split('&').filter(|f| !f.is_empty()) {
        let name = want.split('=').next().unwrap_or(want);
        let fits = if want.contains('=') { query.split('&').any(|q| q == want) } else { given.contains(&name) };
        if !fits {
            return None;
        }
        same += 1;
    }
    Some(same)
}

fn segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|s| !s.is_empty()).collect()
}
