//! What the end of the application means: the exit code, and the last record.

use std::time::Duration;

use super::{HoldAction, HoldState, Phase, Rules, Stepped};
use crate::log::record::LogRecord;
use crate::process::child::Ending;
use crate::process::signal::Signal;

/// If the application ends within this time after a signal, the signal counts as the cause.
const EFFECT: Duration = Duration::from_secs(10);

impl Rules {
    pub(super) fn exited(&self, state: HoldState, ending: Ending, now: Duration) -> Stepped {
        let (counts, new_after_forward) = match state.phase {
            Phase::Holding { since, totals, .. } => (Some(totals.counts(now.saturating_sub(since))), None),
            Phase::Forwarded { since, totals, new_before_forward, .. } => {
                let counts = totals.counts(now.saturating_sub(since));
                (Some(counts), Some(totals.new.saturating_sub(new_before_forward)))
            }
            Phase::Serving { .. } | Phase::Ended => (None, None),
        };
        let signal = match ending {
            Ending::Signal(number) => Signal::from_number(number.into()),
            Ending::Code(_) => None,
        };
        let not_held = not_held(&state.phase, now);
        let code = self.exit_code(&state.phase, ending);
        let application_code = Some(ending.code()).filter(|own| *own != code);
        let record = LogRecord::Exited { code, application_code, signal, not_held, counts, new_after_forward };
        let warning = not_held.map(|signal| HoldAction::Log(LogRecord::Warning { text: advice(signal) }));
        let actions = warning.into_iter().chain([HoldAction::Log(record), HoldAction::Exit(code)]).collect();
        (HoldState { phase: Phase::Ended, ..state }, actions)
    }

    /// Replaces the application's code only if it ended as it should after the stop signal: with 0, or by that signal.
    /// (128 + N as a code: some runtimes, such as Java, exit with the code that a shell would report.)
    fn exit_code(&self, phase: &Phase, ending: Ending) -> u8 {
        let was_stopped = matches!(phase, Phase::Forwarded { .. });
        let by_signal = u8::try_from(self.forward.number()).map(|number| Ending::Signal(number).code());
        let is_expected = ending.code() == 0 || by_signal.is_ok_and(|code| code == ending.code());
        self.exit_code.filter(|_| was_stopped && is_expected).unwrap_or(ending.code())
    }
}

/// The signal that seems to have ended the application without a hold.
fn not_held(phase: &Phase, now: Duration) -> Option<Signal> {
    match phase {
        Phase::Serving { passed_on: Some((signal, at)) } if now.saturating_sub(*at) <= EFFECT => Some(*signal),
        _ => None,
    }
}

fn advice(signal: Signal) -> String {
    format!(
        "the application ended after {signal}, which was not held back: if it is the image's STOPSIGNAL, set stop-signal \
         (SPOTDRAIN_HOLD_STOP_SIGNAL) to {signal}"
    )
}
