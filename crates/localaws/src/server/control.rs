//! How does somebody outside the process arrange faults and states, and read the calls?
//!
//! `POST /_local/fault` takes `{"action":"DeregisterTargets","fault":"hang","times":3}`: `action` and `times` may be left out,
//! `naming` and `with_tags` restrict it to calls that name a service, task or target, or ask for tags; `delay_millis` makes the
//! answer late, `slow` needs `millis`, and `clear` takes the faults (of the action) back.
//! `POST /_local/target-state` takes `{"target_group":ARN,"target":"10.0.0.1","port":5044,"state":"unhealthy"}`.
//! `GET /_local/calls` gives the log. An error is a status 400 with `{"error":"…"}`.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::call::action::Action;
use crate::call::fault::{Fault, FaultRule};
use crate::model::elb::health::State;
use crate::model::elb::target::Target;
use crate::model::world::World;
use crate::protocol::{Incoming, Reply};

const FAULTS: &str = "clear, refuse, access-denied, server-error, unavailable, reset, reset-after-work, hang, \
                      hang-after-work, invalid-parameter, missing, html, error-with-status-200 (these without `millis`), or slow (with `millis`)";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultBody {
    action: Option<String>,
    fault: String,
    naming: Option<String>,
    #[serde(default)]
    with_tags: bool,
    times: Option<u32>,
    millis: Option<u64>,
    delay_millis: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StateBody {
    target_group: String,
    target: String,
    port: Option<u16>,
    state: State,
}

/// Does what a control asks for.
pub(crate) fn answer(world: &mut World, incoming: &Incoming<'_>, now: Duration) -> Reply {
    let result = match (incoming.method, incoming.path) {
        ("POST", "/_local/fault") => fault(world, incoming.body),
        ("POST", "/_local/target-state") => target_state(world, incoming.body, now),
        ("GET", "/_local/calls") => serde_json::to_value(world.calls()).map_err(|error| error.to_string()),
        (method, path) => Err(format!("no control `{method} {path}`")),
    };
    let (status, value) = match result {
        Ok(value) => (200, value),
        Err(error) => (400, json!({ "error": error })),
    };
    let (request_id, body) = (world.next_request_id(), value.to_string());
    Reply { status, content_type: "application/json", request_id, query_error: None, body }
}

fn fault(world: &mut World, body: &[u8]) -> Result<Value, String> {
    let body: FaultBody = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let action = body.action.as_deref().map(known_action).transpose()?;
    if body.fault == "clear" {
        world.clear_faults(action);
        return Ok(json!({}));
    }
    let fault = Fault::named(&body.fault, body.millis.map(Duration::from_millis));
    let fault = fault.ok_or_else(|| format!("no fault `{}`: use one of {FAULTS}", body.fault))?;
    let rule = action.map_or_else(|| FaultRule::from(fault), |action| fault.on(action));
    let rule = match &body.naming {
        Some(name) => rule.naming(name),
        None => rule,
    };
    let rule = if body.with_tags { rule.with_tags() } else { rule };
    let rule = match body.times {
        Some(times) => rule.times(times),
        None => rule,
    };
    world.add_fault(rule.delay(Duration::from_millis(body.delay_millis.unwrap_or_default())));
    Ok(json!({}))
}

fn known_action(name: &str) -> Result<Action, String> {
    let all = || Action::ALL.map(Action::name).join(", ");
    Action::named(name).ok_or_else(|| format!("no action `{name}`: use one of {}", all()))
}

fn target_state(world: &mut World, body: &[u8], now: Duration) -> Result<Value, String> {
    let body: StateBody = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let target = Target { port: body.port, ..body.target.as_str().into() };
    world.set_state(&body.target_group, target, body.state, now).map_err(|error| error.to_string())?;
    Ok(json!({}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::log::Subject;
    use crate::model::scene::Scene;

    fn post(world: &mut World, path: &str, body: &str) -> (u16, String) {
        let incoming = Incoming { method: "POST", path, query: "", origin: "", target: None, body: body.as_bytes() };
        let reply = answer(world, &incoming, Duration::ZERO);
        (reply.status, reply.body)
    }

    #[test]
    fn a_fault_can_be_set_and_cleared() {
        let mut world = World::new();
        let body = r#"{"action":"DeregisterTargets","fault":"hang","times":3}"#;
        assert_eq!(post(&mut world, "/_local/fault", body), (200, "{}".to_owned()));
        assert_eq!(world.faults.take(Action::DeregisterTargets, &Subject::default()).unwrap().fault, Fault::Hang);
        assert_eq!(post(&mut world, "/_local/fault", r#"{"fault":"clear"}"#), (200, "{}".to_owned()));
        assert!(world.faults.take(Action::DeregisterTargets, &Subject::default()).is_none());
    }

    #[test]
    fn a_target_can_be_put_into_a_state() {
        let mut scene = Scene::demo();
        let body = json!({"target_group": scene.group, "target": "10.0.1.11", "port": 5044, "state": "unhealthy"});
        assert_eq!(post(&mut scene.world, "/_local/target-state", &body.to_string()).0, 200);
        assert_eq!(scene.world.state(&scene.group, "10.0.1.11", Duration::ZERO), Some(State::Unhealthy));
    }

    #[test]
    fn an_error_names_what_is_wrong() {
        let table = [
            ("/_local/fault", r#"{"fault":"hangs"}"#, "no fault `hangs`: use one of clear, refuse"),
            ("/_local/fault", r#"{"fault":"slow"}"#, "slow (with `millis`)"),
            ("/_local/fault", r#"{"fault":"hang","action":"X"}"#, "no action `X`: use one of DescribeLoadBalancers"),
            ("/_local/fault", r#"{"fault":"hang","time":3}"#, "unknown field `time`"),
            ("/_local/target-state", r#"{"target_group":"g","target":"t","state":"ill"}"#, "no state `ill`"),
            ("/_local/target-state", r#"{"target_group":"g","target":"t","state":"healthy"}"#, "no target group g"),
            ("/_local/nothing", "", "no control `POST /_local/nothing`"),
        ];
        for (path, body, text) in table {
            let (status, answer) = post(&mut World::new(), path, body);
            assert_eq!(status, 400);
            assert!(answer.contains(text), "{answer}");
        }
    }
}
