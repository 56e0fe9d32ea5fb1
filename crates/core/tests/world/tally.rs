//! What happened, counted: a simulation in which nothing happens proves nothing.

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

tally! {
    interruptions: "tasks interrupted",
    other_stops: "tasks stopped for another reason",
    reused: "addresses given to another task",
    messages: "messages sent",
    duplicates: "messages that were copies of another",
    garbage: "messages that cannot be read",
    received: "messages received",
    redelivered: "messages received again",
    dead_letters: "messages given to the dead-letter queue",
    invocations: "invocations",
    overlapping: "invocations beside another",
    died: "sandboxes that died half-way",
    wrong_address: "late notices whose address another task's target had",
    down_before: "notices judged after an event that the task is down",
    repeated: "events ignored as Repeated",
    stale: "outcomes Stale",
    kept: "outcomes KeptLastHealthy",
    held: "outcomes LeftToHold",
    deregistered: "outcomes Deregistered",
    draining: "outcomes AlreadyDraining",
    failed: "outcomes Failed",
    restricted: "outcomes WouldDeregister",
    throttled: "calls throttled",
    errors: "calls answered with a server error",
    hung: "calls without an answer",
    lost_answers: "calls done whose answer was lost",
    denied: "calls denied",
    lagging: "reads behind the truth",
    bisected: "calls split after InvalidTarget",
    blind: "targets written unread",
    confirmed: "targets written unread and confirmed by a read",
    second_writes: "second writes with the ports that were read",
    asked_again: "targets asked about again before their turn",
    missed_cache: "services asked again because the cache was wrong",
    waves: "waves after an invocation's first",
    postponed: "notices for whose calls there was no time",
    deleted: "messages deleted by the function itself",
    returned: "messages given back by the function itself",
    unsettled: "messages whose deletion or return did not get through",
    probes: "frozen moments handled twice and in other orders",
    excused_new: "excused: registered less than the read's lag before",
    excused_cache: "excused: the service changed while it was believed",
    excused_health: "excused: became healthy after it was read",
    excused_second: "excused: a second write, after acting unread",
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.all().iter().try_for_each(|(text, count)| writeln!(f, "{count:>12}  {text}"))
    }
}
