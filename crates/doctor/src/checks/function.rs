//! Does the function run, and in time?

use crate::check::{Check, CheckResult, CheckScope, Connections, Fix, Impact, Problem, Severity};
use crate::model::subject::DeliverySubject;
use spotdrain_core::model::limits::NOTICE_SECONDS;

const CONCURRENCY: &str = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html";
const LAMBDA: &str = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html";

pub(super) const TIMEOUT: Check = Check {
    id: "SD026",
    severity: Severity::Warning,
    title: "a function timeout that does not fit the notice",
    explanation: "The function paces and retries its calls until its own timeout is near. Lambda's default of 3 s ends a batch \
                  that had to wait for AWS's rate limits. With a timeout that is longer than the notice, the function still \
                  works when the tasks are gone.",
    sources: &[LAMBDA],
    run: CheckScope::Delivery(timeout),
};

fn timeout(subject: &DeliverySubject<'_>) -> CheckResult {
    let function = &subject.delivery.function;
    let timeout = function.timeout.value_or(3)?;
    let unset = if function.timeout.known().is_some() { "" } else { " by default" };
    Ok((!(10..=NOTICE_SECONDS).contains(&timeout)).then(|| {
        Problem::new(
            function.place.clone(),
            format!("the function's timeout is {timeout} s{unset}: from 10 to {NOTICE_SECONDS} s fits the notice"),
            Impact::of(Connections::All),
            Fix::new(
                format!("aws lambda update-function-configuration --function-name {} --timeout 30", function.name),
                "Timeout: 30",
            )
            .in_terraform("timeout = 30"),
        )
    }))
}

pub(super) const NO_CONCURRENCY: Check = Check {
    id: "SD056",
    severity: Severity::Error,
    title: "a function with a reserved concurrency of 0",
    explanation: "A reserved concurrency of 0 keeps Lambda from ever invoking the function: every notice waits until it \
                  expires.",
    sources: &[CONCURRENCY],
    run: CheckScope::Delivery(no_concurrency),
};

fn no_concurrency(subject: &DeliverySubject<'_>) -> CheckResult {
    let function = &subject.delivery.function;
    let is_off = function.reserved_concurrency.known_or_err()? == Some(&0);
    Ok(is_off.then(|| {
        let fix = Fix::new(
            format!("aws lambda delete-function-concurrency --function-name {}", function.name),
            "remove ReservedConcurrentExecutions, or set it to 2 or more",
        )
        .in_terraform("remove reserved_concurrent_executions, or set it to 2 or more");
        let description = "its reserved concurrency is 0: Lambda never invokes it";
        Problem::new(function.place.clone(), description, Impact::of(Connections::All), fix)
    }))
}
