//! The one HTTP client of all AWS clients: one TLS configuration, one pool of connections, some of them opened ahead.

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

use crate::dialler::Dialler;

/// The client; clones share its pool.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    dialler: Dialler,
    client: Client<Dialler, SdkBody>,
}

impl Http {
    pub(crate) fn new(tls: ClientConfig) -> Self {
        Self::with(Dialler::new(tls))
    }

    /// The same with a pool that has no connections.
    pub(crate) fn anew(&self) -> Self {
        Self::with(self.dialler.anew())
    }

    /// Opens a connection to each of these hosts, for the first request to it.
    pub(crate) fn dial(&self, hosts: &[Uri]) {
        for host in hosts {
            self.dialler.dial(host);
        }
    }

    fn with(dialler: Dialler) -> Self {
        let client = Client::builder(TokioExecutor::new()).build(dialler.clone());
        Self { dialler, client }
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

/// Whatever happens between the two ends of a connection, another may do.
fn broken(error: Error) -> ConnectorError {
    if error.is_connect() {
        ConnectorError::io(error.into())
    } else {
        ConnectorError::other(error.into(), Some(ErrorKind::TransientError))
    }
}
