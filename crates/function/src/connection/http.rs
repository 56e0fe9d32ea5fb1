//! The HTTP client that all AWS clients share: one TLS configuration and one connection pool.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use http::Uri;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;

use super::preconnect::Preconnector;

/// An HTTP client. Clones share its connection pool.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    connector: Preconnector,
    client: Client<Preconnector, SdkBody>,
}

impl Http {
    pub(crate) fn new(tls: ClientConfig) -> Self {
        Self::with(Preconnector::new(tls))
    }

    /// Returns the same client with an empty pool.
    pub(crate) fn without_connections(&self) -> Self {
        Self::with(self.connector.without_connections())
    }

    /// Opens a connection to each host, for its first request.
    pub(crate) fn preconnect(&self, hosts: &[Uri]) {
        for host in hosts {
            self.connector.preconnect(host);
        }
    }

    fn with(connector: Preconnector) -> Self {
        let client = Client::builder(TokioExecutor::new()).build(connector.clone());
        Self { connector, client }
    }
}

impl HttpClient for Http {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Http {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let answer = self.client.request(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await.map_err(broken)?.map(SdkBody::from_body_1_x);
            HttpResponse::try_from(answer).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// A failure on one connection is worth retrying on another.
fn broken(error: Error) -> ConnectorError {
    if error.is_connect() {
        ConnectorError::io(error.into())
    } else {
        ConnectorError::other(error.into(), Some(ErrorKind::TransientError))
    }
}
