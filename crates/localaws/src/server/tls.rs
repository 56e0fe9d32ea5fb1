//! Which certificate does the local AWS show over HTTPS, and who vouches for it?
//!
//! Both are made at the start and are gone with it: an authority that callers are told to trust, and a certificate of it for
//! the loopback names. TLS 1.2 and 1.3 with HTTP/1.1, as AWS's endpoints of these APIs have them.

use std::fmt;
use std::io;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, Error, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{self, HandshakeKind, ServerConfig};
use tokio_rustls::server::TlsStream;

const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

type Authority = CertifiedIssuer<'static, KeyPair>;

/// What is needed to begin TLS with a caller.
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    authority: String,
}

impl Tls {
    pub(crate) fn new() -> io::Result<Self> {
        let authority = authority().map_err(io::Error::other)?;
        let (chain, key) = certificate(&authority).map_err(io::Error::other)?;
        let config = config(chain, key).map_err(io::Error::other)?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), authority: authority.pem() })
    }

    /// The authority's certificate as PEM.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// The stream after the handshake, and whether it resumed an earlier one.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<(TlsStream<TcpStream>, bool)> {
        let stream = self.acceptor.accept(stream).await?;
        let resumed = stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
        Ok((stream, resumed))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

fn config(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<ServerConfig, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = config.with_no_client_auth().with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn authority() -> Result<Authority, Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "localaws authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

/// A certificate of the authority, with the chain to it, and its key.
fn certificate(authority: &Authority) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Error> {
    let mut params = CertificateParams::new(NAMES.map(str::to_owned))?;
    params.distinguished_name.push(DnType::CommonName, "localaws");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, authority)?;
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    Ok((vec![certificate.der().clone(), authority.der().clone()], key))
}
