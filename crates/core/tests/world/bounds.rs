//! What the world promises: the bounds on which spotdrain's freshness and its trust in answers rest. The laws hold within
//! them, and a world that breaks one of them is another world.

use super::time::{Ms, SECOND};

/// From the stop signal until the interface of the stopped task is deleted, at least. In the STOPPED samples that are
/// published the containers alone took 12 s or more to stop, and the interface goes after them.
pub const STOP_TO_INTERFACE_DELETED: Ms = 12 * SECOND;

/// From DEPROVISIONING until the interface is deleted, at least. Only then is its address free.
pub const DEPROVISIONING_TO_INTERFACE_DELETED: Ms = 4 * SECOND;

/// From the new interface with a freed address until its task is registered, at least: the image is pulled, the
/// containers start, and ECS registers a task that is RUNNING.
pub const START_TO_REGISTERED: Ms = 9 * SECOND;

/// How far behind the truth an answer of DescribeTargetHealth, DescribeTasks or DescribeServices is, at most.
pub const READ_LAG: Ms = 2 * SECOND;

/// How long after it was sent a call takes effect, at most, whether or not anybody still waits for its answer.
pub const IN_FLIGHT: Ms = 300;

/// Lambda's time limit of the function, and SQS's visibility timeout, which may not be less.
pub const FUNCTION_TIMEOUT: Ms = 20 * SECOND;
pub const VISIBILITY_TIMEOUT: Ms = 20 * SECOND;

/// After so many receives SQS gives a message to the dead-letter queue.
pub const MOST_RECEIVES: u32 = 12;
