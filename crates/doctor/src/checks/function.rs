//! Does the function have its turn while the task still lives?

use crate::check::{Check, Connections, Cost, Fault, Mend, Run, Severity, Verdict};
use crate::model::subject::DeliverySite;
use spotdrain_core::limits::NOTICE_SECONDS;

const SQS: &str = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html";
const BATCH: &str = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html";
const LAMBDA: &str = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html";

pub(super) const VISIBILITY: Check = Check {
    id: "SD024",
    severity: Severity::Error,
    title: "a queue whose visibility timeout does not fit",
    explanation: "A message that failed comes back when the visibility timeout is over. If that is as long as the notice, \
                  the task is gone by then: there is no second try. If it is shorter than the function's timeout, Lambda \
                  refuses the event source mapping.",
    sources: &[SQS],
    run: Run::Delivery(visibility),
};

fn visibility(site: &DeliverySite<'_>) -> Verdict {
    let Some(queue) = site.delivery.queue.need()? else { return Ok(None) };
    let visibility = queue.visibility.or(30)?;
    let found = if visibility >= NOTICE_SECONDS {
        format!(
            "the visibility timeout is {visibility} s, and the notice {NOTICE_SECONDS} s: no second try comes in time"
        )
    } else {
        let timeout = site.delivery.function.timeout.or(3)?;
        if visibility >= timeout {
            return Ok(None);
        }
        format!("the visibility timeout is {visibility} s, and the function's {timeout} s: Lambda refuses the mapping")
    };
    let name = queue.arn.rsplit(':').next().unwrap_or("QUEUE");
    let command = format!("aws sqs set-queue-attributes --queue-url URL_OF_{name} --attributes VisibilityTimeout=30");
    let mend = Mend::new(command, "VisibilityTimeout: 30");
    Ok(Some(Fault { place: queue.place.clone(), found, cost: Cost::of(Connections::All), mend }))
}

pub(super) const WHOLE_BATCH: Check = Check {
    id: "SD025",
    severity: Severity::Error,
    title: "an event source mapping without ReportBatchItemFailures",
    explanation: "The function answers a batch with the messages that failed. Without ReportBatchItemFailures Lambda does \
                  not read the answer and takes the whole batch for done: what failed is deleted from the queue and never \
                  tried again.",
    sources: &[BATCH],
    run: Run::Delivery(whole_batch),
};

fn whole_batch(site: &DeliverySite<'_>) -> Verdict {
    let Some(queue) = site.delivery.queue.need()? else { return Ok(None) };
    let responses = queue.responses.or(Vec::new())?;
    let reports = responses.iter().any(|response| response == "ReportBatchItemFailures");
    Ok((!reports).then(|| Fault {
        place: queue.place.clone(),
        found: "its event source mapping lacks ReportBatchItemFailures: what failed is not tried again".to_owned(),
        cost: Cost::of(Connections::All),
        mend: Mend::new(
            "aws lambda update-event-source-mapping --uuid UUID --function-response-types ReportBatchItemFailures",
            "FunctionResponseTypes: [ReportBatchItemFailures]",
        ),
    }))
}

pub(super) const TIMEOUT: Check = Check {
    id: "SD026",
    severity: Severity::Warning,
    title: "a function timeout that does not fit the notice",
    explanation: "The function paces and retries its calls until its own timeout is near. Lambda's own timeout of 3 s ends a \
                  batch that had to wait for its turn; one that is longer than the notice goes on when the tasks are gone.",
    sources: &[LAMBDA],
    run: Run::Delivery(timeout),
};

fn timeout(site: &DeliverySite<'_>) -> Verdict {
    let function = &site.delivery.function;
    let timeout = function.timeout.or(3)?;
    let unset = if function.timeout.known().is_some() { "" } else { ", Lambda's own" };
    Ok((!(10..=NOTICE_SECONDS).contains(&timeout)).then(|| Fault {
        place: function.place.clone(),
        found: format!("the function's timeout is {timeout} s{unset}: from 10 to {NOTICE_SECONDS} s fits the notice"),
        cost: Cost::of(Connections::All),
        mend: Mend::new(
            format!("aws lambda update-function-configuration --function-name {} --timeout 30", function.name),
            "Timeout: 30",
        ),
    }))
}
