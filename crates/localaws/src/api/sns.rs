//! Simple Notification Service: `Publish`, whose messages are kept and not delivered (botocore, `sns`, 2010-03-31).

use serde_json::json;

use crate::call::action::Action;
use crate::call::error::ApiError;
use crate::call::log::Subject;
use crate::model::canned::PublishedMessage;
use crate::model::world::World;
use crate::protocol::form::Form;
use crate::protocol::query;

/// Parses a request; `None` for an action of another API.
pub(crate) fn parse(action: Action, form: &Form) -> Option<Result<PublishedMessage, ApiError>> {
    let text = |name: &str| form.required(name).map(str::to_owned);
    let read = || {
        let subject = form.get("Subject").map(str::to_owned);
        Ok(PublishedMessage { topic: text("TopicArn")?, subject, message: text("Message")? })
    };
    (action == Action::Publish).then(read)
}

pub(crate) fn subject(form: &Form) -> Subject {
    Subject { resource: form.get("TopicArn").map(str::to_owned), ..Subject::default() }
}

pub(crate) fn publish(world: &mut World, message: PublishedMessage) -> Result<String, ApiError> {
    world.canned.published.push(message);
    query::result(Action::Publish, &json!({"MessageId": format!("{:032x}", world.canned.published.len())}))
}
