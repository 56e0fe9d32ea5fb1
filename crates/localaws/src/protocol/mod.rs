//! The wire formats: the query protocol (form in, XML out) and the JSON protocols, and an HTTP request and reply as the
//! rest of the crate sees them.

pub(crate) mod form;
pub(crate) mod json;
pub(crate) mod query;

/// The parts of an HTTP request that the model needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Incoming<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// The part after the question mark.
    pub(crate) query: &'a str,
    /// The scheme and host that the caller used, for example `http://127.0.0.1:4566`.
    pub(crate) origin: &'a str,
    /// The header `X-Amz-Target` of the JSON protocols.
    pub(crate) target: Option<&'a str>,
    pub(crate) body: &'a [u8],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) request_id: String,
    /// The header `x-amzn-query-error` of SQS errors.
    pub(crate) query_error: Option<String>,
    pub(crate) body: String,
}
