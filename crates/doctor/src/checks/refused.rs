//! What does the forecast find?

use crate::check::{Check, CheckResult, CheckScope, Connections, Fix, Impact, Problem, Severity};
use crate::forecast::Forecast;
use crate::model::root::{Deployment, Place};
use crate::model::setting::{Setting, Unknown};

const SPOT: &str = "https://repost.aws/knowledge-center/fargate-spot-termination-notice";

/// For this many seconds clients retry a refused connection: by RFC 6298 after 1, 3 and 7 s.
const BRIDGED: u32 = 7;

pub(super) const REFUSED: Check = Check {
    id: "SD057",
    severity: Severity::Warning,
    title: "new connections that are refused for longer than clients retry",
    explanation: "According to the forecast, the load balancer keeps sending new connections to an interrupted task after its \
                  application has closed its port or was killed. A client retries a refused connection for some seconds; after \
                  that it is lost. The forecast is a model with users' measurements of 2022 and 2023 (docs/doctor.md), and \
                  names what would change it. If the templates do not contain the function, it is assumed to be deployed.",
    sources: &[
        "https://github.com/aws/containers-roadmap/issues/470",
        "https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2366",
        "https://www.rfc-editor.org/rfc/rfc6298",
    ],
    run: CheckScope::Forecast(refused),
};

fn refused(deployment: &Deployment, forecast: Result<&Forecast, Unknown>) -> CheckResult {
    let forecast = forecast?;
    let function_is_elsewhere = matches!(deployment.delivery, Setting::Unknown(_));
    let outlook = forecast.outlook(function_is_elsewhere);
    let seconds = outlook.refused_seconds;
    let best = forecast
        .changes
        .iter()
        .filter(|change| change.then.refused_seconds < seconds)
        .min_by_key(|change| change.then.refused_seconds);
    let fix = best.map_or("no setting that is known here".to_owned(), |change| {
        let steps: Vec<_> = change.what.split(" + ").map(instruction).collect();
        format!("{}; then {} s", steps.join(", "), change.then.refused_seconds)
    });
    let if_serving = if outlook.refused_at_least_seconds < seconds {
        format!(" ({} s if it serves until SIGKILL)", outlook.refused_at_least_seconds)
    } else {
        String::new()
    };
    let description = format!(
        "{}: new connections to an interrupted task are refused for {seconds} s{if_serving}, according to the forecast{}",
        forecast.service,
        if function_is_elsewhere { " with the function" } else { "" }
    );
    let impact = Impact::for_seconds(Connections::New, seconds);
    Ok((seconds > BRIDGED).then(|| {
        Problem::new(forecast.place.clone(), description, impact, Fix::new(fix.clone(), fix.clone()).in_terraform(fix))
    }))
}

/// What to do for a change of the forecast.
fn instruction(change: &str) -> &str {
    match change {
        "function" => "deploy the function (docs/deploy.md)",
        "hold" => "run spotdrain-hold as the first process of the container (docs/hold.md)",
        "stopTimeout 120" => "set stopTimeout to 120",
        "health check 20 s" => "let the health check fail within 20 s, as with an interval of 10 s and 2 failed checks",
        other => other,
    }
}

pub(super) const NO_FUNCTION: Check = Check {
    id: "SD033",
    severity: Severity::Warning,
    title: "no function",
    explanation: "AWS announced in 2023 that ECS deregisters an interrupted task itself; its knowledge center says that it \
                  might not do so before the task has stopped, and in 2025 users saw that it did not for a while. Without the \
                  function, nothing else deregisters the task. This is reported only if the function would change the \
                  forecast.",
    sources: &[SPOT, "https://github.com/aws/containers-roadmap/issues/2673"],
    run: CheckScope::Forecast(no_function),
};

fn no_function(deployment: &Deployment, forecast: Result<&Forecast, Unknown>) -> CheckResult {
    if deployment.delivery.known_or_err()?.is_some() {
        return Ok(None);
    }
    let helps = forecast?.changes.iter().any(|change| change.what == "function");
    Ok(helps.then(|| {
        Problem::new(
            Place::live("the function".to_owned()),
            "no function with SPOTDRAIN_ settings is in this Region",
            Impact::of(Connections::All),
            Fix::new("scripts/package x86_64, then sam deploy --template deploy/template.yaml (docs/deploy.md)", "")
                .in_terraform("module \"spotdrain\" { source = \"github.com/spotdrain/spotdrain//deploy/terraform\" }"),
        )
    }))
}
