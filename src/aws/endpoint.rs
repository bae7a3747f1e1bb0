//! Where a service is reached: URL, signing region and signing name, by AWS's own endpoint rules.
//!
//! Each service has a rule set in the Smithy rules language; this module runs it. Custom endpoints are taken as
//! they are. Nothing here talks to the network, and no region or service is ever guessed at: what the rules
//! refuse is an error.

mod data;
mod functions;
mod partitions;
mod rules;

pub use partitions::{
    Partition, all as partitions, by_id as partition_by_id, find as partition_of, is_known_region,
    is_well_formed_region, nearest_region,
};
use rules::{Decision, Undecided};
use serde_json::Value;
use std::collections::BTreeMap;

/// What an endpoint is chosen by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndpointParams {
    /// The region code, or a pseudo region such as `aws-global`.
    pub region: String,
    /// Ask for the FIPS endpoint.
    pub fips: bool,
    /// Ask for the dual-stack endpoint.
    pub dualstack: bool,
    /// A custom endpoint, taken as it is.
    pub endpoint: Option<String>,
    /// Further parameters of the service's rules by name (`AccountId`, `Bucket`, `RequiresAccountId`), from the
    /// operation's static and context parameters.
    pub extra: BTreeMap<String, Value>,
}

/// Where requests go and how they are signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Scheme, host and, for custom endpoints, port and path; without a slash at the end.
    pub url: String,
    /// The region to sign for, where the rules set one; the requested region otherwise.
    pub signing_region: Option<String>,
    /// The name to sign for, where the rules set one; the service's own otherwise ([`signing_name`]).
    pub signing_name: Option<String>,
    /// Headers to send along.
    pub headers: Vec<(String, String)>,
    /// It is a custom endpoint: no host prefix goes in front of it.
    pub custom: bool,
}

/// Why there is no endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// No service of this name is known.
    #[error("the service '{service}' is not known to the endpoint data")]
    UnknownService {
        /// The name asked for.
        service: String,
    },
    /// The service's rules refuse the combination; the sentence is theirs.
    #[error("no endpoint of {service} in '{region}': {message}")]
    Refused {
        /// The service.
        service: String,
        /// The region asked for.
        region: String,
        /// Why, in AWS's words.
        message: String,
    },
    /// The rules need a parameter that was not given.
    #[error("the endpoint of {service} needs the parameter '{parameter}'")]
    Missing {
        /// The service.
        service: String,
        /// The parameter.
        parameter: String,
    },
    /// A custom endpoint that is not an `http` or `https` URL.
    #[error("'{url}' is not an endpoint URL: expected http://host[:port][/path] or https://…")]
    NotAUrl {
        /// What was given.
        url: String,
    },
}

/// The endpoint of `service` (botocore's name: `ec2`, `s3control`, `cloudwatch`).
///
/// # Errors
/// [`EndpointError`], for a service that is not known, a combination that the service's rules refuse, and a custom
/// endpoint that is no URL.
pub fn resolve(service: &str, params: &EndpointParams) -> Result<Endpoint, EndpointError> {
    let by_rules = by_rules(service, params);
    match &params.endpoint {
        None => by_rules,
        // Signed as the service's own endpoint would be; where the rules refuse, by the requested region.
        Some(url) => {
            let url = custom_url(url)?;
            let (signing_region, signing_name) =
                by_rules.map_or((None, None), |endpoint| (endpoint.signing_region, endpoint.signing_name));
            Ok(Endpoint { url, signing_region, signing_name, headers: Vec::new(), custom: true })
        }
    }
}

/// The name that requests to `service` are signed for where its rules set none; `None` for an unknown service.
pub fn signing_name(service: &str) -> Option<&'static str> {
    data::service(service).map(|s| s.signing_name.as_str())
}

/// Whether the endpoint rules of `service` take the parameter `name`.
pub fn takes_parameter(service: &str, name: &str) -> bool {
    data::rule_set(service).is_some_and(|rules| rules.takes(name))
}

/// The region through which a global service is addressed in `partition` (`iam` in `aws-cn`: `cn-north-1`); the
/// partition's own where nothing says otherwise.
pub fn global_region(service: &str, partition: &str) -> String {
    let own = data::service(service).and_then(|s| s.global_region.get(partition)).cloned();
    own.unwrap_or_else(|| {
        partition_by_id(partition).map_or_else(|| "us-east-1".to_owned(), |p| p.implicit_global_region().to_owned())
    })
}

/// Whether `service` is offered in `region`, as far as AWS's published endpoint list tells; `None` where it does
/// not (services and regions newer than the list, global services).
///
/// The list lags behind AWS: `Some(false)` alone proves nothing, it only explains a host name that does not exist.
pub fn offered(service: &str, region: &str) -> Option<bool> {
    let partition = partition_of(region)?;
    if !is_known_region(region) {
        return None;
    }
    let known = &data::service(service)?.regions;
    match known.get(partition.id()) {
        Some(regions) if regions.is_empty() => None,
        Some(regions) => Some(regions.iter().any(|r| r == region)),
        None if known.is_empty() => None,
        None => Some(false),
    }
}

fn by_rules(service: &str, params: &EndpointParams) -> Result<Endpoint, EndpointError> {
    let rules = data::rule_set(service).ok_or_else(|| EndpointError::UnknownService { service: service.into() })?;
    let mut given = params.extra.clone();
    if !params.region.is_empty() {
        given.insert("Region".into(), params.region.clone().into());
    }
    given.insert("UseFIPS".into(), params.fips.into());
    given.insert("UseDualStack".into(), params.dualstack.into());
    let refused =
        |message: String| EndpointError::Refused { service: service.into(), region: params.region.clone(), message };
    if !params.region.is_empty() && !is_well_formed_region(&params.region) {
        return Err(refused("the region could not stand in a host name".into()));
    }
    match rules.decide(&given) {
        Ok(Decision::Endpoint { url, properties, headers }) => {
            let (signing_region, signing_name) = signing(&properties);
            let signing_region = signing_region.map(|r| match only_region(service, &params.region) {
                Some(only) if !url.contains(r.as_str()) => only,
                _ => r,
            });
            let url = url.trim_end_matches('/').to_owned();
            Ok(Endpoint { url, signing_region, signing_name, headers, custom: false })
        }
        Ok(Decision::Error(message)) => Err(refused(message)),
        Err(Undecided::Missing(parameter)) => Err(EndpointError::Missing { service: service.into(), parameter }),
        Err(Undecided::NoRule) => Err(refused("no rule fits".into())),
        Err(Undecided::Broken) => Err(refused("a rule names a value that is not there".into())),
    }
}

/// The one region of a service that has no regional endpoints in the partition of `region`. It is more exact than
/// the partition's implicit global region, which some rules fall back to for hosts that name no region (IAM in
/// China lives in `cn-north-1`).
fn only_region(service: &str, region: &str) -> Option<String> {
    let partition = partition_of(region)?.id();
    let known = data::service(service)?;
    let regional = known.regions.get(partition).is_some_and(|regions| !regions.is_empty());
    if regional { None } else { known.global_region.get(partition).cloned() }
}

/// Signing region and name of the first `sigv4` scheme.
fn signing(properties: &Value) -> (Option<String>, Option<String>) {
    let schemes = properties.get("authSchemes").and_then(Value::as_array);
    let scheme = schemes.and_then(|all| all.iter().find(|s| s.get("name").is_some_and(|n| n == "sigv4")));
    let text = |key: &str| scheme.and_then(|s| s.get(key)).and_then(Value::as_str).map(str::to_owned);
    (text("signingRegion"), text("signingName"))
}

fn custom_url(url: &str) -> Result<String, EndpointError> {
    let parsed = functions::call("parseURL", &[url.into()]);
    // The rules' own parser takes `http://` for a URL; nothing could be sent there.
    let host = url.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(|host| !host.is_empty()));
    if parsed.is_null() || host != Some(true) {
        return Err(EndpointError::NotAUrl { url: url.into() });
    }
    Ok(url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(region: &str) -> EndpointParams {
        EndpointParams { region: region.into(), ..EndpointParams::default() }
    }

    #[test]
    fn every_rule_set_can_be_read_and_calls_only_functions_that_are_known() {
        let names = data::service_names();
        assert!(names.len() > 400);
        for name in names {
            let rules = data::rule_set(&name).unwrap_or_else(|| panic!("{name} cannot be read"));
            assert_eq!(rules.unknown_functions(), Vec::<String>::new(), "{name}");
        }
    }

    #[test]
    fn a_custom_endpoint_is_taken_as_it_is_and_signed_as_the_service() {
        let params = EndpointParams { endpoint: Some("http://127.0.0.1:5000/".into()), ..at("eu-west-1") };
        let endpoint = resolve("iam", &params).unwrap();
        assert_eq!(endpoint.url, "http://127.0.0.1:5000");
        assert_eq!(endpoint.signing_region.as_deref(), Some("us-east-1"));
        assert!(endpoint.custom);
        let bad = EndpointParams { endpoint: Some("localhost:5000".into()), ..at("eu-west-1") };
        assert_eq!(resolve("iam", &bad), Err(EndpointError::NotAUrl { url: "localhost:5000".into() }));
    }

    #[test]
    fn the_account_id_goes_in_front_of_the_host_where_the_rules_say_so() {
        let mut params = at("eu-west-1");
        params.extra.insert("AccountId".into(), "123456789012".into());
        params.extra.insert("RequiresAccountId".into(), true.into());
        let endpoint = resolve("s3control", &params).unwrap();
        assert_eq!(endpoint.url, "https://123456789012.s3-control.eu-west-1.amazonaws.com");
        assert_eq!(endpoint.signing_name.as_deref(), Some("s3"));
    }

    #[test]
    fn directory_buckets_have_an_endpoint_of_their_own() {
        let mut params = at("eu-west-1");
        params.extra.insert("UseS3ExpressControlEndpoint".into(), true.into());
        let endpoint = resolve("s3express", &params).unwrap();
        assert_eq!(endpoint.url, "https://s3express-control.eu-west-1.amazonaws.com");
        assert_eq!(endpoint.signing_name.as_deref(), Some("s3express"));
        assert_eq!(offered("s3express", "eu-west-1"), Some(true));
        assert_eq!(offered("s3express", "eu-west-2"), Some(false));
        assert_eq!(offered("s3express", "cn-north-1"), Some(false));
    }

    #[test]
    fn global_services_have_one_region_in_each_partition() {
        assert_eq!(global_region("iam", "aws"), "us-east-1");
        assert_eq!(global_region("iam", "aws-cn"), "cn-north-1");
        assert_eq!(global_region("iam", "aws-us-gov"), "us-gov-west-1");
        assert_eq!(global_region("globalaccelerator", "aws"), "us-west-2");
        assert_eq!(global_region("cloudfront", "aws-eusc"), "eusc-de-east-1");
        assert_eq!(global_region("nonsense", "nonsense"), "us-east-1");
    }

    #[test]
    fn what_the_endpoint_list_does_not_tell_is_not_known() {
        assert_eq!(offered("ec2", "eu-west-1"), Some(true));
        assert_eq!(offered("route53domains", "eu-west-1"), Some(false));
        assert_eq!(offered("globalaccelerator", "cn-north-1"), Some(false));
        assert_eq!(offered("iam", "eu-west-1"), None);
        assert_eq!(offered("ec2", "eu-north-9"), None);
        assert_eq!(offered("nonsense", "eu-west-1"), None);
    }

    #[test]
    fn a_malformed_region_never_becomes_a_host_name() {
        for region in ["us east 1", "evil.example.com/", "", "a@b"] {
            assert!(resolve("ec2", &at(region)).is_err(), "{region}");
        }
        let unknown = resolve("nonsense", &at("us-east-1"));
        assert!(matches!(unknown, Err(EndpointError::UnknownService { .. })));
    }
}
