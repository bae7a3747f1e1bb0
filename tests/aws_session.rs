//! Finding credentials, profiles, regions and endpoints, each case in a process with an environment of its own: the
//! test runs itself again as [`child`].

// A test that cannot be set up must fail.
#![allow(clippy::unwrap_used)]

use soc2scan::aws::{Aws, Settings};
use std::process::Command;

#[path = "support/loopback.rs"]
mod loopback;
use loopback::{ACCOUNT, Server};

const KEYS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT"), ("AWS_SECRET_ACCESS_KEY", "SECRETENVIRONMENT")];

/// Not a test: connects as the environment says, and prints what came of it.
#[test]
#[ignore = "run by the other tests"]
#[allow(clippy::print_stdout, reason = "its output is what the tests read")]
fn child() {
    use miette::Diagnostic;
    let variable = |name: &str| std::env::var(name).ok();
    let settings =
        Settings { profile: variable("TEST_PROFILE"), region: variable("TEST_REGION"), ..Settings::default() };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match runtime.block_on(Aws::connect(&settings)) {
        Ok(aws) => {
            let custom = |service: &str| aws.custom_endpoint(service).unwrap_or_default();
            println!("CONNECTED {} in {}; sts={} kms={}", aws.account(), aws.region(), custom("sts"), custom("kms"));
        }
        Err(error) => {
            let help = error.help().map(|h| h.to_string()).unwrap_or_default();
            println!("FAILED {error} HELP {help}");
        }
    }
}

/// Runs [`child`] in a folder with these files, with these variables and no others.
fn connect(files: &[(&str, &str)], variables: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--ignored", "--nocapture"])
        .env_clear()
        .env("HOME", folder.path())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines =
        text.lines().filter_map(|l| l.find("CONNECTED").or_else(|| l.find("FAILED ")).map(|at| l[at..].to_owned()));
    let result = lines.collect::<Vec<_>>().join("\n");
    assert!(!result.is_empty(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(!result.contains("SECRET"), "{result}");
    result
}

#[test]
fn without_credentials_it_says_where_it_looked_and_what_to_do() {
    let said = connect(&[], &[]);
    assert!(said.starts_with("FAILED no AWS credentials were found HELP"), "{said}");
    assert!(said.contains("AWS_ACCESS_KEY_ID") && said.contains("aws sso login"), "{said}");
}

#[test]
fn an_unknown_profile_is_named_with_the_nearest_one() {
    let files = [(".aws/config", "[profile audit]\nregion = eu-west-1\n[profile build]\nregion = eu-west-1\n")];
    for variable in ["TEST_PROFILE", "AWS_PROFILE"] {
        let said = connect(&files, &[(variable, "audti")]);
        assert!(said.contains("there is no AWS profile 'audti'; did you mean 'audit'?"), "{said}");
        assert!(said.contains("audit, build"), "{said}");
    }
}

#[test]
fn a_profile_whose_source_is_in_no_file_says_which() {
    let role = "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = bse\n[profile base]\n";
    let said = connect(&[(".aws/config", role)], &[("AWS_PROFILE", "role")]);
    assert!(said.contains("there is no AWS profile 'bse'; did you mean 'base'?"), "{said}");
}

/// The files of a profile that was signed in with `aws login`, with credentials that end then.
fn login(expires: &str) -> Vec<(&'static str, String)> {
    let config = "[profile login]\nregion = eu-west-1\nlogin_session = arn:aws:iam::123456789012:user/x\n";
    let key = "-----BEGIN EC PRIVATE KEY-----\\nMHcCAQEEIFDZHUzOG1Pzq+6F0mjMlOSp1syN9LRPBuHMoCFXTcXhoAoGCCqGSM49\\nAwEHoUQDQgAE9qhj+KtcdHj1kVgwxWWWw++tqoh7H7UHs7oXh8jBbgF47rrYGC+t\\ndjiIaHK3dBvvdE7MGj5HsepzLm3Kj91bqA==\\n-----END EC PRIVATE KEY-----\\n";
    let token = format!(
        r#"{{"accessToken":{{"accessKeyId":"AKIALOGIN","secretAccessKey":"SECRETLOGIN","sessionToken":"SECRETTOKEN",
        "accountId":"{ACCOUNT}","expiresAt":"{expires}"}},"tokenType":"aws_sigv4","refreshToken":"SECRETREFRESH",
        "clientId":"arn:aws:signin:::devtools/same-device","dpopKey":"{key}"}}"#
    );
    // The cache file is named by the SHA-256 of the session's ARN.
    let cache = ".aws/login/cache/2ff2a80db794fe2d23248219d580c027ab8e3592f5c59254e6a865b9c22fc859.json";
    vec![(".aws/config", config.to_owned()), (cache, token)]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_was_signed_in_with_aws_login_is_used() {
    let server = Server::start().await;
    let files = login("2099-01-01T00:00:00Z");
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let said = connect(&files, &[("AWS_PROFILE", "login"), ("AWS_ENDPOINT_URL", &server.url)]);
    assert!(said.starts_with(&format!("CONNECTED {ACCOUNT} in eu-west-1")), "{said}");
    assert!(server.last().headers["authorization"].contains("AKIALOGIN/"), "{said}");
}

#[test]
fn a_profile_whose_sign_in_is_missing_says_so() {
    let config = &login("2099-01-01T00:00:00Z")[..1];
    let said = connect(&[(config[0].0, &config[0].1)], &[("AWS_PROFILE", "login")]);
    assert!(said.contains("FAILED the AWS credentials for profile 'login' could not be loaded"), "{said}");
}

/// A TLS end with a certificate for `localhost` that nobody knows, in front of a server; gives its URL and the
/// certificate as PEM.
async fn behind_tls(server: &Server) -> (String, String) {
    use tokio_rustls::rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer};
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(std::sync::Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let inner = server.url.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, inner) = (acceptor.clone(), inner.clone());
            tokio::spawn(async move {
                let Ok(mut outer) = acceptor.accept(stream).await else { return };
                let mut inner = tokio::net::TcpStream::connect(inner).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
            });
        }
    });
    (url, made.cert.pem())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificates_of_aws_ca_bundle_are_trusted_and_no_others() {
    let server = Server::start().await;
    let (url, pem) = behind_tls(&server).await;
    let variables =
        [KEYS[0], KEYS[1], ("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL", &url), ("AWS_MAX_ATTEMPTS", "1")];
    let said = connect(&[], &variables);
    assert!(said.contains("FAILED AWS could not be reached") && said.contains("certificate"), "{said}");

    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("ca.pem");
    std::fs::write(&bundle, format!("# ours\n{pem}")).unwrap();
    let bundle = bundle.display().to_string();
    let said = connect(&[], &[&variables[..], &[("AWS_CA_BUNDLE", bundle.as_str())]].concat());
    assert!(said.starts_with("CONNECTED"), "{said}");
    let config = format!("[default]\nca_bundle = {bundle}\n");
    let said = connect(&[(".aws/config", &config)], &variables);
    assert!(said.starts_with("CONNECTED"), "{said}");
}

#[test]
fn certificates_that_cannot_be_used_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (name, text) in [("empty", Some("")), ("broken", Some(broken)), ("missing", None)] {
        let path = folder.path().join(name);
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        let path = path.display().to_string();
        let said = connect(&[], &[KEYS[0], KEYS[1], ("AWS_REGION", "eu-west-1"), ("AWS_CA_BUNDLE", &path)]);
        assert!(said.contains(&format!("FAILED {path}: the certificates cannot be used")), "{said}");
    }
}

#[test]
fn a_profile_file_that_is_broken_is_said_to_be() {
    let said = connect(&[(".aws/config", "[profile audit\nregion = eu-west-1\n")], &KEYS);
    assert!(said.contains("configuration files cannot be read"), "{said}");
}

#[test]
fn a_region_that_is_none_is_refused_before_anything_is_asked() {
    for (region, nearest) in [("useast-1", "us-east-1"), ("eu_west_1", "eu-west-1")] {
        let said = connect(&[], &[KEYS[0], KEYS[1], ("TEST_REGION", region)]);
        assert!(said.contains(&format!("'{region}' is not an AWS region; did you mean '{nearest}'?")), "{said}");
    }
    let said = connect(&[], &[KEYS[0], KEYS[1], ("AWS_REGION", "a/b")]);
    assert!(said.contains("'a/b' is not an AWS region"), "{said}");
}

#[test]
fn an_endpoint_that_is_no_url_is_refused() {
    for url in ["ftp://localhost", "http://", "https://:443", "http://a b", "localhost:5000"] {
        for variable in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_CLOUDTRAIL"] {
            let said = connect(&[], &[KEYS[0], KEYS[1], ("AWS_REGION", "eu-west-1"), (variable, url)]);
            assert!(said.contains(&format!("'{url}' is not an endpoint URL")), "{variable}={url}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_region_and_endpoint_come_from_the_environment() {
    let server = Server::start().await;
    let said = connect(&[], &[KEYS[0], KEYS[1], ("AWS_REGION", "eu-central-1"), ("AWS_ENDPOINT_URL", &server.url)]);
    assert!(said.starts_with(&format!("CONNECTED {ACCOUNT} in eu-central-1")), "{said}");
    assert!(server.last().headers["authorization"].contains("AKIAENVIRONMENT/"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_is_named_comes_before_keys_in_the_environment() {
    let server = Server::start().await;
    let files = [(
        ".aws/credentials",
        "[audit]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = SECRETPROFILE\nregion = eu-west-3\n",
    )];
    let said = connect(&files, &[KEYS[0], KEYS[1], ("TEST_PROFILE", "audit"), ("AWS_ENDPOINT_URL", &server.url)]);
    assert!(said.starts_with(&format!("CONNECTED {ACCOUNT} in eu-west-3")), "{said}");
    assert!(server.last().headers["authorization"].contains("AKIAPROFILE/"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_has_the_endpoint_that_is_set_for_it() {
    let (all, sts) = (Server::start().await, Server::start().await);
    let variables = [
        KEYS[0],
        KEYS[1],
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ENDPOINT_URL", all.url.as_str()),
        ("AWS_ENDPOINT_URL_STS", sts.url.as_str()),
    ];
    let said = connect(&[], &variables);
    assert!(said.contains(&format!("sts={} kms={}", sts.url, all.url)), "{said}");
    assert_eq!((all.seen().len(), sts.seen().len()), (0, 1));

    let profile = format!(
        "[profile audit]\nregion = eu-west-1\nservices = local\n[services local]\nsts =\n  endpoint_url = {}\n",
        sts.url
    );
    let said = connect(&[(".aws/config", &profile)], &[KEYS[0], KEYS[1], ("AWS_PROFILE", "audit")]);
    assert!(said.contains(&format!("sts={} kms=", sts.url)), "{said}");
    assert_eq!(sts.seen().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_process_is_run_and_its_failure_is_told() {
    let server = Server::start().await;
    let keys = r#"{"Version":1,"AccessKeyId":"AKIAPROCESS","SecretAccessKey":"SECRETPROCESS"}"#;
    let files = [
        (".aws/config", "[profile good]\nregion = eu-west-1\ncredential_process = /bin/cat keys.json\n"),
        ("keys.json", keys),
    ];
    let good = connect_in_folder(&files, &[("TEST_PROFILE", "good"), ("AWS_ENDPOINT_URL", &server.url)]);
    assert!(good.starts_with("CONNECTED"), "{good}");
    assert!(server.last().headers["authorization"].contains("AKIAPROCESS/"));

    let files = [(".aws/config", "[profile bad]\nregion = eu-west-1\ncredential_process = /bin/false\n")];
    let bad = connect(&files, &[("TEST_PROFILE", "bad"), ("AWS_ENDPOINT_URL", &server.url)]);
    assert!(bad.contains("the AWS credentials for profile 'bad' could not be loaded"), "{bad}");
}

/// As [`connect`], with `keys.json` named by its full path.
fn connect_in_folder(files: &[(&str, &str)], variables: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.json");
    std::fs::write(&keys, files.iter().find(|(n, _)| *n == "keys.json").map(|(_, t)| *t).unwrap_or_default()).unwrap();
    let config = files[0].1.replace("keys.json", &keys.display().to_string());
    connect(&[(files[0].0, &config)], variables)
}

#[test]
fn an_ended_sso_session_says_to_sign_in_again() {
    let config = "[profile sso]\nregion = eu-west-1\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = \
                  Audit\n[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n";
    // The cache file is named by the SHA-1 of the session's name, `corp`.
    let token = r#"{"accessToken":"SECRETTOKEN","expiresAt":"2020-01-01T00:00:00Z","region":"eu-west-1","startUrl":"https://corp.awsapps.com/start"}"#;
    let cache = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
    let said = connect(&[(".aws/config", config), (cache, token)], &[("TEST_PROFILE", "sso")]);
    assert!(said.contains("FAILED the AWS credentials have expired for profile 'sso'"), "{said}");
    assert!(said.contains("aws sso login"), "{said}");
}
