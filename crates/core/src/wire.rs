//! The event as it stands in JSON: every string that AWS sends stops here and in [`crate::event`].
//!
//! Only what is read is named; all else is ignored, as AWS asks ("more may be added"). `null` counts as absent.
//! Fields are from real samples and <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html>.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};

use crate::object::Object;

type Text<'a> = Option<Cow<'a, str>>;

#[derive(Debug, Deserialize)]
pub(crate) struct Envelope<'a> {
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) source: Cow<'a, str>,
    #[serde(borrow, rename = "detail-type")]
    pub(crate) detail_type: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct TaskEvent<'a> {
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) source: Cow<'a, str>,
    #[serde(borrow, rename = "detail-type")]
    pub(crate) detail_type: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) account: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) region: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) time: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) detail: Object<TaskDetail<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaskDetail<'a> {
    #[serde(borrow)]
    pub(crate) task_arn: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) cluster_arn: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) last_status: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) desired_status: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) group: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) stop_code: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) stopped_reason: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) stopping_at: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) capacity_provider_name: Text<'a>,
    #[serde(default)]
    pub(crate) version: Option<u64>,
    #[serde(borrow, default, deserialize_with = "null_as_empty")]
    pub(crate) attachments: Vec<Object<Attachment<'a>>>,
    #[serde(borrow, default, deserialize_with = "null_as_empty")]
    pub(crate) containers: Vec<Object<Container<'a>>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Attachment<'a> {
    #[serde(borrow, default)]
    pub(crate) id: Text<'a>,
    #[serde(borrow, default, rename = "type")]
    pub(crate) kind: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) status: Text<'a>,
    #[serde(borrow, default, deserialize_with = "null_as_empty")]
    pub(crate) details: Vec<Object<Detail<'a>>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Detail<'a> {
    #[serde(borrow, default)]
    pub(crate) name: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) value: Text<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Container<'a> {
    #[serde(borrow, default, deserialize_with = "null_as_empty")]
    pub(crate) network_interfaces: Vec<Object<Interface<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Interface<'a> {
    #[serde(borrow, default)]
    pub(crate) attachment_id: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) private_ipv4_address: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) ipv6_address: Text<'a>,
}

fn null_as_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
