//! The one HTTP client of all AWS clients: one TLS configuration, one pool of connections.
//!
//! Which certificate authorities are trusted: those of `AWS_CA_BUNDLE`, which the SDK for Rust does not read itself; else the
//! system's, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR` in their place.
//! Source: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html> (`AWS_CA_BUNDLE`)

use std::fs;
use std::path::{Path, PathBuf};

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use thiserror::Error;

/// Why the certificate authorities of `AWS_CA_BUNDLE` cannot be used.
#[derive(Debug, Error)]
#[error("AWS_CA_BUNDLE: {}: {problem}", file.display())]
pub struct CaBundleError {
    file: PathBuf,
    problem: String,
}

/// Whom the clients trust.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trust(TlsContext);

impl Trust {
    /// As the environment says it. A bundle that cannot be read is an error: to trust others in its place would be a
    /// surprise, and the SDK would stop at the first call.
    pub(crate) fn from_environment() -> Result<Self, CaBundleError> {
        match std::env::var_os("AWS_CA_BUNDLE").filter(|file| !file.is_empty()) {
            Some(file) => Self::of_bundle(Path::new(&file)),
            None => Ok(Self::default()),
        }
    }

    fn of_bundle(file: &Path) -> Result<Self, CaBundleError> {
        let wrong = |problem: String| CaBundleError { file: file.to_owned(), problem };
        let text = fs::read(file).map_err(|error| wrong(error.to_string()))?;
        check(&text).map_err(wrong)?;
        let store = TrustStore::empty().with_pem_certificate(text);
        TlsContext::builder().with_trust_store(store).build().map(Self).map_err(|error| wrong(error.to_string()))
    }

    /// A client with a pool of its own.
    pub(crate) fn client(&self) -> SharedHttpClient {
        Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(self.0.clone()).build_https()
    }
}

/// What the HTTP client takes for granted of its certificates.
fn check(pem: &[u8]) -> Result<(), String> {
    let mut roots = RootCertStore::empty();
    for (number, certificate) in (1..).zip(CertificateDer::pem_slice_iter(pem)) {
        let certificate = certificate.map_err(|error| format!("certificate {number}: {error}"))?;
        roots.add(certificate).map_err(|error| format!("certificate {number}: {error}"))?;
    }
    if roots.is_empty() { Err("no certificate in it (it must be PEM)".to_owned()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_that_is_none_is_refused_with_its_reason() {
        let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let table =
            [("", "no certificate in it"), ("hello", "no certificate in it"), (no_certificate, "certificate 1: ")];
        for (text, expected) in table {
            assert!(check(text.as_bytes()).unwrap_err().starts_with(expected), "{text}");
        }
        let error = Trust::of_bundle(Path::new("/does/not/exist.pem")).unwrap_err().to_string();
        assert_eq!(error, "AWS_CA_BUNDLE: /does/not/exist.pem: No such file or directory (os error 2)");
    }
}
