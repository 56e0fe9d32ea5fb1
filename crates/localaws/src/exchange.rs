//! What comes in over HTTP, and what goes back: all that the rules see of the server.

/// An HTTP request, as far as it matters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Incoming<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// What stands behind the question mark.
    pub(crate) query: &'a str,
    /// What the caller put before the path, as `http://127.0.0.1:4566`.
    pub(crate) origin: &'a str,
    /// The header `X-Amz-Target`, which awsJson has and the query protocol has not.
    pub(crate) target: Option<&'a str>,
    pub(crate) body: &'a [u8],
}

/// An HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) request_id: String,
    /// The header `x-amzn-query-error`, which errors of SQS have.
    pub(crate) query_error: Option<String>,
    pub(crate) body: String,
}
