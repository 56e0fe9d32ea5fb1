//! Counts of what happened: a simulation in which something never happens proves nothing about it.

use std::fmt;

macro_rules! tally {
    ($($name:ident: $text:literal,)+) => {
        #[derive(Debug, Clone, Default)]
        pub struct Tally {
            $(pub $name: u64,)+
        }

        impl Tally {
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)+
            }

            /// Each count with what it counts.
            pub fn all(&self) -> Vec<(&'static str, u64)> {
                vec![$(($text, self.$name)),+]
            }
        }
    };
}

/// One of the counts.
pub type Counter = fn(&mut Tally) -> &mut u64;

tally! {
    interruptions: "tasks interrupted",
    other_stops: "tasks stopped for another reason",
    reused: "addresses given to another task",
    messages: "messages sent",
    duplicates: "messages that were copies of another",
    garbage: "garbage messages",
    others: "events of another source in a busy queue",
    received: "messages delivered by Lambda",
    redelivered: "messages delivered by Lambda again",
    own: "messages received by the function itself",
    dead_letters: "messages moved to the dead-letter queue",
    invocations: "invocations",
    full: "invocations with a full batch",
    overlapping: "invocations beside another one",
    reconnected: "environments that replaced dead connections",
    died: "environments that died before their answer",
    wrong_address: "late notices whose address another task's target had",
    down_before: "notices received after an event that the task is down",
    repeated: "events ignored as Repeated",
    stale: "outcomes Stale",
    kept: "outcomes KeptLastHealthy",
    looked_again: "notices returned to look again at a kept target",
    emptied: "groups found without a healthy target after a write",
    held: "outcomes LeftToHold",
    deregistered: "outcomes Deregistered",
    draining: "outcomes AlreadyDraining",
    not_registered: "outcomes NotRegistered",
    gone: "outcomes AlreadyGone",
    failed: "outcomes Failed",
    restricted: "outcomes WouldDeregister",
    postponed: "notices postponed, because no turn was left for their calls",
    throttled: "calls throttled",
    errors: "calls answered with a server error",
    broken: "calls whose connection broke",
    hung: "calls without an answer",
    lost_answers: "writes that took effect and whose answer was lost",
    denied: "calls denied",
    invalid: "writes refused because of a target that is not registered",
    lagging: "reads behind the truth",
    unread: "writes to a group that was not read",
    described_again: "services described again before their answer was a minute old",
    records: "messages whose record was looked for when they were deleted",
    deleted: "messages deleted by the function itself",
    returned: "messages returned by the function itself",
    refused_entries: "deletions and returns answered with error codes",
    stale_receipts: "receipts refused because the message was received again",
    probes: "frozen moments handled twice and in another order",
    excused_new: "excused: registered less than the read's lag before",
    excused_cache: "excused: the service changed while its answer was believed",
    excused_health: "excused as last healthy: the health of a target changed after it was read",
    excused_unread: "excused as last healthy: the group could not be read",
    excused_behind: "excused as last healthy: a read was behind the truth",
    excused_services: "excused as last healthy: the group has tasks of several services",
    excused_environments: "excused as last healthy: three environments that each removed less than half of the healthy targets",
    excused_survivor: "excused as last healthy: ECS deregistered the target that stayed, or stopped its task after the read",
}

impl Tally {
    /// What never happened, and should have. Few histories have three environments, so the excuse about them is rare.
    pub fn never(&self) -> Vec<&'static str> {
        let usual = Self { excused_environments: 1, ..self.clone() };
        usual.all().into_iter().filter(|(_, count)| *count == 0).map(|(text, _)| text).collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.all().iter().try_for_each(|(text, count)| writeln!(f, "{count:>12}  {text}"))
    }
}
