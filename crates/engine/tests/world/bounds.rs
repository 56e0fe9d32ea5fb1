//! What the world guarantees: the bounds on which spotdrain's freshness and its trust in answers rest. The laws hold within
//! them; a world that breaks one of them is another world. AWS's own numbers come from `spotdrain_core::model::limits`, and the
//! function's times from `spotdrain_engine::shares`.

use spotdrain_core::model::limits;
use spotdrain_engine::shares;

use super::time::{Ms, SECOND, ms};

/// From the stop signal until the interface of the stopped task is deleted, at least. In the STOPPED samples that are
/// published the containers alone took 12 s or more to stop, and the interface is deleted after them.
pub const STOP_TO_INTERFACE_DELETED: Ms = 12 * SECOND;

/// From DEPROVISIONING until the interface is deleted, at least. Only then is its address free.
pub const DEPROVISIONING_TO_INTERFACE_DELETED: Ms = 4 * SECOND;

/// From the new interface with a freed address until its task is registered, at least: the image is pulled, the
/// containers start, and ECS registers a task that is RUNNING.
pub const START_TO_REGISTERED: Ms = 9 * SECOND;

/// The most by which an answer of DescribeTargetHealth, DescribeTasks or DescribeServices is behind the truth.
pub const READ_LAG: Ms = 2 * SECOND;

/// The longest time from sending a call until it takes effect, whether or not its answer is still awaited.
pub const IN_FLIGHT: Ms = 300;

/// The longest time that a receive waits for a message.
pub const LONG_POLL: Ms = SECOND;

/// Connections that were not used for longer than this may be dead.
pub const REST: Ms = 2 * SECOND;

/// How long the engine believes an answer of DescribeServices.
pub const CACHE_VALID: Ms = ms(spotdrain_engine::CACHE_VALID.unsigned_abs());

/// Lambda's time limit of the function.
pub const FUNCTION_TIMEOUT: Ms = ms(shares::FUNCTION_TIMEOUT);

/// How long SQS hides a message that was received.
pub const VISIBILITY_TIMEOUT: Ms = ms(limits::VISIBILITY_TIMEOUT);
