//! Who is asking: credentials, region and settings as every AWS tool finds them, and the identity behind them.
//!
//! `aws-config` does the finding (environment, profiles, SSO, assumed roles, web identity, credential processes,
//! container and instance roles). This module adds the checks that make a mistake readable: an unknown profile, a
//! misspelt region, no credentials, ended ones. No message ever holds a key or a token.

use super::breaker::Breaker;
use super::endpoint;
use super::error::{CallError, ErrorClass, chain, credentials_failure};
use super::limiter::Limiter;
use super::record::{Ledger, Progress, Recorder, Scope};
use crate::model::embedded;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::default_provider::region::DefaultRegionChain;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::{RetryConfig, RetryMode};
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder as HttpClientBuilder, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::region::Region;
use aws_types::service_config::ServiceConfigKey;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// How often a request is sent where no one says.
const ATTEMPTS: u32 = 6;

/// The region that is used where none is set anywhere.
const FALLBACK_REGION: &str = "us-east-1";

/// What the user asked for; what is `None` is found as every AWS tool finds it (environment, profile, defaults).
#[derive(Clone, Debug)]
pub struct Settings {
    /// The profile. One that is named here comes before keys in the environment.
    pub profile: Option<String>,
    /// The region that the session starts in.
    pub region: Option<String>,
    /// One endpoint URL for all services, before `AWS_ENDPOINT_URL` and the profile's.
    pub endpoint_url: Option<String>,
    /// `standard` or `adaptive`.
    pub retry_mode: Option<RetryMode>,
    /// How often a request is sent at most, the first time included; 6 where neither this nor `AWS_MAX_ATTEMPTS` nor the
    /// profile says, because a late answer is better than an unknown.
    pub max_attempts: Option<u32>,
    /// The first pause before a retry; the SDK's second where `None`.
    pub backoff: Option<Duration>,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long an answer may take to begin.
    pub read_timeout: Duration,
    /// How long a call may take in all, retries included.
    pub deadline: Duration,
    /// Ask FIPS endpoints.
    pub fips: Option<bool>,
    /// Ask dual-stack endpoints.
    pub dualstack: Option<bool>,
    /// The most requests per second for each account, region and service.
    pub max_rps: f64,
    /// The most requests in flight.
    pub in_flight: usize,
    /// The largest answer that is read, in bytes. A larger one is an error.
    pub max_answer: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            profile: None,
            region: None,
            endpoint_url: None,
            retry_mode: None,
            max_attempts: None,
            backoff: None,
            connect_timeout: Duration::from_secs(4),
            read_timeout: Duration::from_secs(30),
            deadline: Duration::from_secs(120),
            fips: None,
            dualstack: None,
            max_rps: 20.0,
            in_flight: 64,
            max_answer: 64 << 20,
        }
    }
}

/// Credentials that AWS has accepted, and all that the clients share.
#[derive(Clone, Debug)]
pub struct Session {
    pub(super) config: SdkConfig,
    pub(super) ledger: Ledger,
    pub(super) limiter: Limiter,
    pub(super) breaker: Breaker,
    pub(super) recorder: Recorder,
    account: String,
    principal: String,
    partition: String,
    region: String,
}

/// Why there is no session.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ConnectError {
    /// The named profile is in no file.
    #[error("there is no AWS profile '{profile}'{}", near(nearest.as_deref()))]
    #[diagnostic(help("profiles found: {}; they are read from ~/.aws/config and ~/.aws/credentials", list(known)))]
    UnknownProfile {
        /// The name asked for.
        profile: String,
        /// The nearest name that is there.
        nearest: Option<String>,
        /// The names that are there.
        known: Vec<String>,
    },
    /// A profile file cannot be read.
    #[error("the AWS configuration files cannot be read: {message}")]
    #[diagnostic(help(
        "they are ~/.aws/config and ~/.aws/credentials, or what AWS_CONFIG_FILE and \
                       AWS_SHARED_CREDENTIALS_FILE name"
    ))]
    ProfileFiles {
        /// What the reader says.
        message: String,
    },
    /// The certificates to trust cannot be read.
    #[error("{path}: the certificates cannot be used: {message}", path = path.display())]
    #[diagnostic(help(
        "AWS_CA_BUNDLE or the profile's `ca_bundle` names a file of PEM certificates, in place of the system's"
    ))]
    CaBundle {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The region cannot be one, or is in no partition of AWS.
    #[error("'{region}' is not an AWS region{}", near(nearest.as_deref()))]
    #[diagnostic(help(
        "a region code looks like eu-central-1; set it with --region, AWS_REGION or the profile's `region`"
    ))]
    UnknownRegion {
        /// The name asked for.
        region: String,
        /// The nearest region that is known.
        nearest: Option<String>,
    },
    /// The custom endpoint is no URL, or the settings do not go together.
    #[error("{message}")]
    #[diagnostic(help(
        "an endpoint comes from AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_<SERVICE> or the profile's `endpoint_url`"
    ))]
    Endpoint {
        /// What is wrong.
        message: String,
    },
    /// Nothing offered credentials.
    #[error("no AWS credentials were found{}", for_profile(profile.as_deref()))]
    #[diagnostic(help(
        "looked at: {looked_at}. Sign in with `aws login` or `aws sso login`, name a profile with --profile, or run \
         where a role gives credentials"
    ))]
    NoCredentials {
        /// The profile that was asked for, if one was.
        profile: Option<String>,
        /// The places that were looked at.
        looked_at: &'static str,
    },
    /// Credentials are configured, and getting them failed.
    #[error("the AWS credentials{} could not be loaded: {message}", for_profile(profile.as_deref()))]
    #[diagnostic(help(
        "check the profile's role, SSO session or credential process; `aws sts get-caller-identity` shows the same failure"
    ))]
    Credentials {
        /// The profile that was asked for, if one was.
        profile: Option<String>,
        /// Why, without secrets.
        message: String,
    },
    /// The credentials have ended.
    #[error("the AWS credentials have expired{}: {message}", for_profile(profile.as_deref()))]
    #[diagnostic(help(
        "sign in again (`aws sso login`, `aws login`), or renew the session token, then run this again"
    ))]
    Expired {
        /// The profile that was asked for, if one was.
        profile: Option<String>,
        /// Why, without secrets.
        message: String,
    },
    /// AWS knows the credentials not, or not in this partition.
    #[error("AWS does not accept the credentials in {region}: {code}: {message}")]
    #[diagnostic(help(
        "check the access key and its secret, the clock, and that the region belongs to the keys' partition"
    ))]
    Rejected {
        /// The region that was asked.
        region: String,
        /// AWS's code.
        code: String,
        /// AWS's message.
        message: String,
    },
    /// AWS did not answer.
    #[error("AWS could not be reached in {region}: {message}")]
    #[diagnostic(help("check the network, HTTPS_PROXY and AWS_ENDPOINT_URL"))]
    Unreachable {
        /// The region that was asked.
        region: String,
        /// What failed.
        message: String,
    },
}

impl Session {
    /// Finds credentials and asks AWS whose they are (`sts:GetCallerIdentity`, in the session's region).
    ///
    /// # Errors
    /// [`ConnectError`], for every way in which that can fail.
    pub async fn connect(settings: &Settings) -> Result<Session, ConnectError> {
        let Found { profile, trusted } = configured(settings).await?;
        let config = load(settings, profile.as_deref(), http_client(trusted)).await;
        let region = config.region().map_or(FALLBACK_REGION, Region::as_ref).to_owned();
        check_region(&region)?;
        check_endpoints(&config)?;
        check_credentials(&config, profile.as_deref()).await?;
        Session::identified(config, settings, profile.as_deref()).await
    }

    /// A session over a configuration that the caller made: its credentials, region and endpoint, with the retries,
    /// timeouts and limits of `settings`.
    ///
    /// # Errors
    /// [`ConnectError`] where AWS does not say whose the credentials are.
    pub async fn over(config: SdkConfig, settings: &Settings) -> Result<Session, ConnectError> {
        let http = http_client(TlsContext::default());
        let config = config.into_builder().timeout_config(timeouts(settings)).http_client(http).build();
        Session::identified(completed(config, settings), settings, None).await
    }

    async fn identified(
        config: SdkConfig,
        settings: &Settings,
        profile: Option<&str>,
    ) -> Result<Session, ConnectError> {
        let region = config.region().map_or(FALLBACK_REGION, Region::as_ref).to_owned();
        let ledger = Ledger::default();
        let (limiter, breaker) = (Limiter::new(settings.max_rps, settings.in_flight), Breaker::default());
        let recorder = Recorder::new(ledger.clone(), limiter.clone(), breaker.clone(), settings.max_answer);
        let identity = caller_identity(&config, &recorder, &region, profile).await?;
        ledger.set_account(&identity.account);
        let partition = partition_of_arn(&identity.arn)
            .or_else(|| endpoint::partition_of(&region).map(|p| p.id().to_owned()))
            .unwrap_or_else(|| "aws".to_owned());
        let Identity { account, arn: principal } = identity;
        Ok(Session { config, ledger, limiter, breaker, recorder, account, principal, partition, region })
    }

    /// The 12-digit account id.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The ARN of who is asking.
    pub fn principal(&self) -> &str {
        &self.principal
    }

    /// The partition: `aws`, `aws-cn`, `aws-us-gov`, …
    pub fn partition(&self) -> &str {
        &self.partition
    }

    /// The region that the session started in.
    pub fn region(&self) -> &str {
        &self.region
    }
}

/// What has to be known before anything is sent.
struct Found {
    profile: Option<String>,
    trusted: TlsContext,
}

/// The profile that is named by the settings or the environment, if it is in a file, and the certificates to trust.
async fn configured(settings: &Settings) -> Result<Found, ConnectError> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let profile = settings.profile.clone().filter(|p| !p.is_empty()).or_else(|| variable("AWS_PROFILE"));
    let files = EnvConfigFiles::default();
    let loaded = aws_config::profile::load(&Fs::real(), &Env::real(), &files, None).await;
    let set = loaded.map_err(|e| ConnectError::ProfileFiles { message: chain(&e) })?;
    if let Some(missing) = profile.as_deref().and_then(|profile| missing_profile(profile, &set)) {
        return Err(unknown_profile(missing, &set));
    }
    let of_profile = set.get_profile(profile.as_deref().unwrap_or("default")).and_then(|p| p.get("ca_bundle"));
    let bundle = variable("AWS_CA_BUNDLE").or_else(|| of_profile.map(str::to_owned));
    let trusted = bundle.map_or_else(|| Ok(TlsContext::default()), |path| certificates(Path::new(&path)))?;
    Ok(Found { profile, trusted })
}

/// The certificates in a file of PEM, in place of the system's, as in the AWS CLI. They are read here because the
/// connector takes it for granted that they can be.
fn certificates(path: &Path) -> Result<TlsContext, ConnectError> {
    let wrong = |message: String| ConnectError::CaBundle { path: path.to_path_buf(), message };
    let bytes = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        roots.add(certificate.map_err(|e| wrong(e.to_string()))?).map_err(|e| wrong(e.to_string()))?;
    }
    if roots.is_empty() {
        return Err(wrong("there is no certificate in it".to_owned()));
    }
    let trusted = TrustStore::empty().with_pem_certificate(bytes);
    TlsContext::builder().with_trust_store(trusted).build().map_err(|e| wrong(e.to_string()))
}

/// The profile itself, or one that it takes its credentials from, that is in no file.
fn missing_profile(profile: &str, set: &ProfileSet) -> Option<String> {
    let mut seen: Vec<String> = Vec::new();
    let mut at = profile.to_owned();
    while !seen.contains(&at) {
        let Some(found) = set.get_profile(&at) else { return Some(at) };
        let source = found.get("source_profile")?.to_owned();
        seen.push(std::mem::replace(&mut at, source));
    }
    None
}

fn unknown_profile(profile: String, set: &ProfileSet) -> ConnectError {
    let mut known: Vec<String> = set.profiles().map(str::to_owned).collect();
    known.sort();
    let near = known.iter().map(|k| (strsim::osa_distance(k, &profile), k)).filter(|(d, _)| *d <= 3).min();
    let nearest = near.map(|(_, k)| k.clone());
    ConnectError::UnknownProfile { profile, nearest, known }
}

async fn load(settings: &Settings, profile: Option<&str>, http: SharedHttpClient) -> SdkConfig {
    let mut loader: ConfigLoader =
        aws_config::defaults(BehaviorVersion::latest()).http_client(http.clone()).timeout_config(timeouts(settings));
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(url) = &settings.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(fips) = settings.fips {
        loader = loader.use_fips(fips);
    }
    if let Some(dualstack) = settings.dualstack {
        loader = loader.use_dual_stack(dualstack);
    }
    if let Some(profile) = &settings.profile {
        loader = loader.credentials_provider(profile_credentials(profile, settings, http).await);
    }
    completed(loader.load().await, settings)
}

/// The configuration with a region in any case, and the retries of the settings.
fn completed(config: SdkConfig, settings: &Settings) -> SdkConfig {
    let mut found = config.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
    if !attempts_are_configured(&config) {
        found = found.with_max_attempts(ATTEMPTS);
    }
    let retries = retries(found, settings);
    let region = config.region().cloned().unwrap_or_else(|| Region::from_static(FALLBACK_REGION));
    config.into_builder().retry_config(retries).region(region).build()
}

/// Whether the environment or the profile says how often to try; the SDK's configuration does not tell its default
/// from a choice.
fn attempts_are_configured(config: &SdkConfig) -> bool {
    let key = ServiceConfigKey::builder().service_id("").env("AWS_MAX_ATTEMPTS").profile("max_attempts").build();
    let Ok(key) = key else { return false };
    config.service_config().and_then(|c| c.load_config(key)).is_some()
}

fn timeouts(settings: &Settings) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(settings.connect_timeout)
        .read_timeout(settings.read_timeout)
        .operation_timeout(settings.deadline)
        .build()
}

/// The credentials of a profile that the user named: it comes before keys in the environment, as in the AWS CLI.
async fn profile_credentials(profile: &str, settings: &Settings, http: SharedHttpClient) -> SharedCredentialsProvider {
    let mut provider = ProviderConfig::without_region().with_http_client(http);
    provider = match &settings.region {
        Some(region) => provider.with_region(Some(Region::new(region.clone()))),
        None => {
            let chain = DefaultRegionChain::builder().profile_name(profile).build();
            provider.with_region(chain.region().await)
        }
    };
    let of_profile = ProfileFileCredentialsProvider::builder().profile_name(profile).configure(&provider).build();
    let chain = CredentialsProviderChain::first_try("Profile", of_profile)
        .or_else("EcsContainer", EcsCredentialsProvider::builder().configure(&provider).build())
        .or_else("Ec2InstanceMetadata", ImdsCredentialsProvider::builder().configure(&provider).build());
    SharedCredentialsProvider::new(chain)
}

fn retries(mut retries: RetryConfig, settings: &Settings) -> RetryConfig {
    if let Some(mode) = settings.retry_mode {
        retries = retries.with_retry_mode(mode);
    }
    if let Some(attempts) = settings.max_attempts {
        retries = retries.with_max_attempts(attempts.max(1));
    }
    if let Some(backoff) = settings.backoff {
        retries = retries.with_initial_backoff(backoff);
    }
    retries
}

/// One client for all services, so that connections are shared; rustls, proxies from the environment.
fn http_client(trusted: TlsContext) -> SharedHttpClient {
    HttpClientBuilder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = ConnectorBuilder::default().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
        connector = connector.tls_context(trusted.clone());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|c| c.sleep_impl()));
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        connector.build()
    })
}

fn check_region(region: &str) -> Result<(), ConnectError> {
    if endpoint::is_well_formed_region(region) && endpoint::partition_of(region).is_some() {
        return Ok(());
    }
    Err(unknown_region(region))
}

fn unknown_region(region: &str) -> ConnectError {
    ConnectError::UnknownRegion { region: region.into(), nearest: endpoint::nearest_region(region).map(str::to_owned) }
}

/// Every custom endpoint that is set, for all services or for one, must be a URL that can be asked.
fn check_endpoints(config: &SdkConfig) -> Result<(), ConnectError> {
    let own = embedded::services().filter_map(|service| own_endpoint(config, service));
    own.chain(config.endpoint_url().map(str::to_owned)).try_for_each(|url| check_endpoint(&url))
}

/// The custom endpoint of one service, as `AWS_ENDPOINT_URL_<SERVICE>` or the profile's `services` section set it.
pub(super) fn own_endpoint(config: &SdkConfig, service: &str) -> Option<String> {
    let model = embedded::service(service)?;
    let key = ServiceConfigKey::builder()
        .service_id(&model.metadata.service_id)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    config.service_config()?.load_config(key)
}

fn check_endpoint(url: &str) -> Result<(), ConnectError> {
    let params = endpoint::EndpointParams {
        region: FALLBACK_REGION.into(),
        endpoint: Some(url.into()),
        ..endpoint::EndpointParams::default()
    };
    endpoint::resolve("sts", &params).map(|_| ()).map_err(|e| ConnectError::Endpoint { message: e.to_string() })
}

async fn check_credentials(config: &SdkConfig, profile: Option<&str>) -> Result<(), ConnectError> {
    let provider = match config.credentials_provider() {
        Some(provider) => provider,
        None => SharedCredentialsProvider::new(DefaultCredentialsChain::builder().build().await),
    };
    provider.provide_credentials().await.map(|_| ()).map_err(|e| credentials_error(&e, profile))
}

fn credentials_error(error: &CredentialsError, profile: Option<&str>) -> ConnectError {
    let profile = profile.map(str::to_owned);
    let message = chain(error);
    if let CredentialsError::CredentialsNotLoaded(_) = error {
        let looked_at = match profile {
            Some(_) => "the profile, the container's and the instance's role",
            None => {
                "AWS_ACCESS_KEY_ID in the environment, the default profile in ~/.aws/config and ~/.aws/credentials, \
                 AWS_WEB_IDENTITY_TOKEN_FILE, the container's role, the instance's role"
            }
        };
        return ConnectError::NoCredentials { profile, looked_at };
    }
    let lower = message.to_ascii_lowercase();
    if lower.contains("expired") || lower.contains("session has ended") {
        return ConnectError::Expired { profile, message };
    }
    ConnectError::Credentials { profile, message }
}

struct Identity {
    account: String,
    arn: String,
}

async fn caller_identity(
    config: &SdkConfig,
    recorder: &Recorder,
    region: &str,
    profile: Option<&str>,
) -> Result<Identity, ConnectError> {
    let client = aws_sdk_sts::Client::from_conf(
        aws_sdk_sts::config::Builder::from(config).interceptor(recorder.clone()).build(),
    );
    let scope = Arc::new(Scope {
        service: "sts".into(),
        operation: "GetCallerIdentity".into(),
        region: region.into(),
        endpoint_region: region.into(),
        subject: String::new(),
        page: 1,
        absent_on: Vec::new(),
        decode: false,
        started: Instant::now(),
        progress: Mutex::<Progress>::default(),
    });
    let answer = recorder.within(scope.clone(), client.get_caller_identity().send()).await;
    let answer = answer.map_err(|error| match credentials_failure(&error) {
        Some(failure) => credentials_error(failure, profile),
        None => {
            recorder.record_unless_recorded(&scope, || {
                recorder.failure_of_ours(&scope, ErrorClass::Other, "NotSent", &chain(&error))
            });
            let failure = scope.progress().failure.take();
            refused(failure, &chain(&error), region, profile)
        }
    })?;
    match (answer.account, answer.arn) {
        (Some(account), Some(arn)) => Ok(Identity { account, arn }),
        _ => Err(ConnectError::Rejected {
            region: region.into(),
            code: "BadAnswer".into(),
            message: "GetCallerIdentity named no account".into(),
        }),
    }
}

fn refused(failure: Option<CallError>, text: &str, region: &str, profile: Option<&str>) -> ConnectError {
    let region_name = region.to_owned();
    let Some(failure) = failure else {
        return ConnectError::Unreachable { region: region_name, message: text.to_owned() };
    };
    match failure.class {
        ErrorClass::ExpiredCredentials => {
            ConnectError::Expired { profile: profile.map(str::to_owned), message: failure.message }
        }
        // A name that fits a pattern and is in no list: most likely misspelt.
        ErrorClass::Unreachable | ErrorClass::Unsupported
            if failure.code == "UnknownHost" && !endpoint::is_known_region(region) =>
        {
            unknown_region(region)
        }
        ErrorClass::Unreachable | ErrorClass::Unsupported if failure.status == 0 => {
            ConnectError::Unreachable { region: region_name, message: failure.message }
        }
        ErrorClass::Malformed => ConnectError::Unreachable {
            region: region_name,
            message: format!("the answer is not AWS's: {}", failure.message),
        },
        _ => ConnectError::Rejected { region: region_name, code: failure.code, message: failure.message },
    }
}

fn partition_of_arn(arn: &str) -> Option<String> {
    arn.strip_prefix("arn:")?.split(':').next().filter(|p| !p.is_empty()).map(str::to_owned)
}

fn near(nearest: Option<&str>) -> String {
    nearest.map(|n| format!("; did you mean '{n}'?")).unwrap_or_default()
}

fn for_profile(profile: Option<&str>) -> String {
    profile.map(|p| format!(" for profile '{p}'")).unwrap_or_default()
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use miette::Diagnostic;

    #[test]
    fn a_misspelt_region_names_the_nearest_one() {
        let error = check_region("us-esat").unwrap_err();
        assert_eq!(error.to_string(), "'us-esat' is not an AWS region; did you mean 'us-east-1'?");
        assert!(check_region("eu central 1").is_err());
        assert!(check_region("mars-north-1").is_err());
        assert!(check_region("eu-central-1").is_ok());
        assert!(check_region("ap-north-9").is_ok(), "a region that is newer than the list");
    }

    #[test]
    fn missing_credentials_say_where_they_were_looked_for_and_what_to_do() {
        let error = credentials_error(&CredentialsError::not_loaded_no_source(), None);
        assert_eq!(error.to_string(), "no AWS credentials were found");
        let help = error.help().map(|h| h.to_string()).unwrap_or_default();
        for word in ["AWS_ACCESS_KEY_ID", "~/.aws/config", "aws sso login", "instance's role"] {
            assert!(help.contains(word), "{word} in {help}");
        }
    }

    #[test]
    fn an_expired_sso_session_is_told_from_a_broken_one() {
        let ended = CredentialsError::provider_error("the SSO token has expired and cannot be refreshed");
        assert!(matches!(credentials_error(&ended, Some("audit")), ConnectError::Expired { .. }));
        let broken = CredentialsError::provider_error("role arn:aws:iam::1:role/x may not be assumed");
        let error = credentials_error(&broken, Some("audit"));
        assert!(
            error.to_string().starts_with("the AWS credentials for profile 'audit' could not be loaded"),
            "{error}"
        );
    }

    #[test]
    fn the_partition_is_the_one_of_the_principal() {
        assert_eq!(partition_of_arn("arn:aws-cn:sts::123456789012:assumed-role/a/b").as_deref(), Some("aws-cn"));
        assert_eq!(partition_of_arn("nonsense"), None);
    }

    #[test]
    fn settings_come_before_what_was_found() {
        let settings = Settings {
            retry_mode: Some(RetryMode::Adaptive),
            max_attempts: Some(7),
            backoff: Some(Duration::from_millis(5)),
            ..Settings::default()
        };
        let changed = retries(RetryConfig::standard(), &settings);
        assert_eq!(changed.mode(), RetryMode::Adaptive);
        assert_eq!(changed.max_attempts(), 7);
        assert_eq!(changed.initial_backoff(), Duration::from_millis(5));
        assert_eq!(retries(RetryConfig::standard(), &Settings::default()), RetryConfig::standard());
    }
}
