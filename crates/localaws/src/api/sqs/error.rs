//! The errors of SQS and their two names: that of the JSON protocol, and that of the older query protocol.
//!
//! The modelled errors and their old names are those of the API's model (`aws-sdk-sqs`, which reads the old names); the
//! messages are the service's. The namespace of errors that are not in the model was observed for `AccessDenied` only.

use std::fmt::Display;

use crate::call::action::Api;
use crate::call::error::ApiError;

/// Errors whose old name has a prefix.
const PREFIXED: [&str; 5] = [
    "BatchEntryIdsNotDistinct",
    "EmptyBatchRequest",
    "InvalidBatchEntryId",
    "MessageNotInflight",
    "TooManyEntriesInBatchRequest",
];

/// Errors that are not in the API's model.
const COMMON: [&str; 5] =
    ["AccessDenied", "InternalFailure", "InvalidParameterValue", "MissingParameter", "ServiceUnavailable"];

/// The error's name in the body (`__type`).
pub(crate) fn kind(error: &ApiError) -> String {
    if error.code == "UnknownOperationException" {
        return format!("com.amazon.coral.service#{}", error.code);
    }
    if COMMON.contains(&error.code) {
        return format!("com.amazon.coral.service#{}Exception", error.code);
    }
    format!("com.amazonaws.sqs#{}", error.code)
}

/// The value of the header `x-amzn-query-error`: the old name, and `Sender` or `Receiver`.
pub(crate) fn old_name(error: &ApiError) -> String {
    let fault = if error.status < 500 { "Sender" } else { "Receiver" };
    let code = match error.code {
        "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue".to_owned(),
        code if PREFIXED.contains(&code) => format!("AWS.SimpleQueueService.{code}"),
        code => code.to_owned(),
    };
    format!("{code};{fault}")
}

pub(crate) fn no_queue() -> ApiError {
    ApiError::bad("QueueDoesNotExist", "The specified queue does not exist.")
}

pub(crate) fn missing(parameter: &str) -> ApiError {
    ApiError::bad("MissingParameter", format!("The request must contain the parameter {parameter}."))
}

pub(crate) fn invalid(parameter: &str, value: impl Display, reason: &str) -> ApiError {
    let message = format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}");
    ApiError::invalid(Api::Sqs, message)
}

pub(crate) fn not_a_receipt(handle: &str) -> ApiError {
    let message = format!("The input receipt handle \"{handle}\" is not a valid receipt handle.");
    ApiError::bad("ReceiptHandleIsInvalid", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_two_names() {
        let table = [
            (no_queue(), "com.amazonaws.sqs#QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue;Sender"),
            (not_a_receipt("x"), "com.amazonaws.sqs#ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid;Sender"),
            (
                ApiError::bad("EmptyBatchRequest", "x"),
                "com.amazonaws.sqs#EmptyBatchRequest",
                "AWS.SimpleQueueService.EmptyBatchRequest;Sender",
            ),
            (missing("QueueUrl"), "com.amazon.coral.service#MissingParameterException", "MissingParameter;Sender"),
            (
                ApiError::internal(Api::Sqs),
                "com.amazon.coral.service#InternalFailureException",
                "InternalFailure;Receiver",
            ),
        ];
        for (error, new, old) in table {
            assert_eq!((kind(&error).as_str(), old_name(&error).as_str()), (new, old));
        }
    }
}
