//! TLS and its trusted certificate authorities: those in `AWS_CA_BUNDLE`, which the SDK for Rust does not read itself, or else
//! the system's, which `SSL_CERT_FILE` and `SSL_CERT_DIR` can replace.
//! Source: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html> (`AWS_CA_BUNDLE`)

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;
use tracing::warn;

/// Why TLS cannot be configured.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The certificate authorities of `AWS_CA_BUNDLE` cannot be used.
    #[error("AWS_CA_BUNDLE: {}: {problem}", file.display())]
    Bundle {
        /// The path in `AWS_CA_BUNDLE`.
        file: PathBuf,
        /// Why the file cannot be used.
        problem: String,
    },
    /// The cryptography provider supports no safe protocol version.
    #[error("TLS: {0}")]
    Protocol(#[from] rustls::Error),
}

/// Trusts the authorities that the environment names. An unreadable bundle is an error, because nobody expects that other
/// authorities are trusted instead.
pub(crate) fn from_environment() -> Result<ClientConfig, TlsError> {
    match std::env::var_os("AWS_CA_BUNDLE").filter(|file| !file.is_empty()) {
        Some(file) => trusting(of_bundle(Path::new(&file))?),
        None => trusting(system_authorities()),
    }
}

/// Trusts the system's authorities.
pub(crate) fn from_system() -> Result<ClientConfig, TlsError> {
    trusting(system_authorities())
}

/// Names the provider explicitly, because rustls has no default if two providers are linked.
fn trusting(authorities: RootCertStore) -> Result<ClientConfig, TlsError> {
    let cryptography = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(cryptography).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(authorities).with_no_client_auth())
}

/// Skips unreadable authorities: the others may be enough, and if not, the call fails.
fn system_authorities() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        warn!(problem = %error, "cannot read a certificate authority of the system");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    roots
}

fn of_bundle(file: &Path) -> Result<RootCertStore, TlsError> {
    let wrong = |problem: String| TlsError::Bundle { file: file.to_owned(), problem };
    let text = fs::read(file).map_err(|error| wrong(error.to_string()))?;
    read(&text).map_err(wrong)
}

fn read(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for (number, certificate) in (1..).zip(CertificateDer::pem_slice_iter(pem)) {
        let certificate = certificate.map_err(|error| format!("certificate {number}: {error}"))?;
        roots.add(certificate).map_err(|error| format!("certificate {number}: {error}"))?;
    }
    if roots.is_empty() { Err("no certificate in it (it must be PEM)".to_owned()) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_bundle_is_an_error_with_its_reason() {
        let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let table =
            [("", "no certificate in it"), ("hello", "no certificate in it"), (no_certificate, "certificate 1: ")];
        for (text, expected) in table {
            assert!(read(text.as_bytes()).unwrap_err().starts_with(expected), "{text}");
        }
        let error = of_bundle(Path::new("/does/not/exist.pem")).unwrap_err().to_string();
        assert_eq!(error, "AWS_CA_BUNDLE: /does/not/exist.pem: No such file or directory (os error 2)");
    }
}
