//! From a batch to reports: its notices are classified, located and put in order, and each wave is observed, planned,
//! executed, recorded and acknowledged before the next.

mod confirm;
mod deregister;
mod observe;

use spotdrain_core::batch::{Message, receipts};
use spotdrain_core::notice::{Incoming, Reading, read};
use spotdrain_core::plan::{self, Plan, postpone};
use spotdrain_core::report::{Execution, Report, report};
use spotdrain_core::schedule::{Schedule, schedule};

use crate::acknowledge::acknowledge;
use crate::cloud::Cloud;
use crate::invocation::Invocation;
use crate::locate::{Located, locate};
use crate::shares;
use deregister::execute;
use observe::observe;

/// The notices that are to be drained, one wave after the other, and their services.
type Waves = (Vec<Vec<Incoming>>, Located);

/// Classifies, locates and schedules messages: the waves, and a report on all that is not in them.
pub(crate) async fn prepare<C: Cloud>(invocation: &Invocation<'_, C>, messages: Vec<Message>) -> (Waves, Report) {
    invocation.receipts.borrow_mut().extend(receipts(&messages));
    let Reading { notices, ignored, malformed } = classify(invocation, messages);
    let located = locate(invocation, &notices).await;
    let engine = invocation.engine;
    let allowance = engine.allowance(invocation.deadline.reserving(invocation.now(), shares::A_WAVE));
    let Schedule { waves, postponed } =
        schedule(notices, (&located.services, &located.configured), &engine.settings, allowance);
    let rest = Plan { ignored, malformed, ..postpone(postponed, &engine.settings, invocation.now()) };
    ((waves, located), report(rest, &Execution::DryRun))
}

/// Classifies messages, and keeps what they say of tasks for later batches.
pub(crate) fn classify<C: Cloud>(invocation: &Invocation<'_, C>, messages: Vec<Message>) -> Reading {
    let mut memory = invocation.engine.memory.borrow_mut();
    read(messages, &invocation.engine.settings, &mut memory, invocation.now())
}

/// Drains one wave after the other, and acknowledges each before the next.
pub(crate) async fn drain<C: Cloud>(invocation: &Invocation<'_, C>, (waves, mut located): Waves) -> Vec<Report> {
    let mut reports = Vec::new();
    for wave in waves {
        let is_late = !reports.is_empty() && invocation.deadline.left(invocation.now()) < shares::A_WAVE;
        let done = if is_late {
            report(postpone(wave, &invocation.engine.settings, invocation.now()), &Execution::DryRun)
        } else {
            drain_wave(invocation, wave, &mut located).await
        };
        reports.push(acknowledge(invocation, done).await);
    }
    reports
}

async fn drain_wave<C: Cloud>(invocation: &Invocation<'_, C>, notices: Vec<Incoming>, located: &mut Located) -> Report {
    let plan = plan(invocation, Reading { notices, ..Reading::default() }, located).await;
    let execution = execute(invocation, &plan).await;
    let report = report(plan, &execution);
    let mut memory = invocation.engine.memory.borrow_mut();
    for record in report.handled() {
        memory.remember(&record.notice.task.arn, record.notice.task.version);
    }
    report
}

/// Asks AWS what the plan needs, and makes it.
pub(crate) async fn plan<C: Cloud>(invocation: &Invocation<'_, C>, wave: Reading, located: &mut Located) -> Plan {
    let findings = observe(invocation, &wave.notices, located).await;
    let engine = invocation.engine;
    plan::plan(wave, &findings, engine.memory.borrow().going(), &engine.settings, invocation.now())
}
