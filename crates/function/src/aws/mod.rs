//! The engine's [`Cloud`](spotdrain_engine::Cloud) over the AWS SDK: a file for each call, which builds the request and reads
//! the answer.

mod clients;
mod cloud;
mod error;
mod services;
mod sqs;
mod target_health;
mod tasks;

pub use clients::Aws;
pub use cloud::AwsCloud;
pub use error::{call_error, chain, error_code};
