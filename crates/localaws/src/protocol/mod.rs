//! The wire formats: the query protocol (form in, XML out) and the JSON protocols, and an HTTP request and reply as the
//! rest of the crate sees them.

pub(crate) mod form;
pub(crate) mod json;
pub(crate) mod query;

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
