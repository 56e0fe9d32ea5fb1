//! The engine's [`Cloud`](spotdrain_engine::Cloud) over the AWS SDK. A file for each AWS service builds the requests and reads
//! the answers.

mod clients;
mod cloud;
mod ecs;
mod elb;
mod error;
mod sns;
mod sqs;

pub use clients::Aws;
pub use cloud::AwsCloud;
pub use ecs::task_addresses;
pub use error::{call_error, chain, error_code};
