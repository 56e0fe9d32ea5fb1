//! Reads the doctor's model from the resources of templates.

pub(crate) mod balancing;
pub(crate) mod capacity;
pub(crate) mod controllers;
pub(crate) mod delivery;
pub(crate) mod function;
pub(crate) mod groups;
pub(crate) mod network;
pub(crate) mod policy;
pub(crate) mod queue;
pub(crate) mod scaling;
pub(crate) mod services;
pub(crate) mod tasks;

use crate::model::root::{Deployment, Unread};
use crate::template::resources::Resources;

/// Returns the deployment of resources, with what could not be read of them.
pub(crate) fn deployment(mut resources: Resources, mut unread: Vec<Unread>) -> Deployment {
    unread.append(&mut resources.unread);
    let (services, delivery) = (services::services(&resources), delivery::delivery(&resources));
    let (suppressions, origin) = (resources.suppressions, resources.origin);
    Deployment { services, delivery, unread, suppressions, origin, ..Deployment::default() }
}
