//! The pure decisions of spotdrain: what an event means, in which target groups an interrupted task is registered, what to do
//! about each registration, and what the outcome was.
//!
//! Nothing here waits, reads a clock or the environment, or knows the AWS SDK: time, settings and AWS's answers are arguments.
//!
//! The way of a notice:
//! 1. [`read::batch`] parses Lambda's payload into messages, [`read::event`] one event, [`read::classify`] says what it means;
//! 2. [`plan::target_groups`] names the groups in which its task may be registered;
//! 3. [`mod@plan`] decides for one target group and all its notices, from what AWS answered ([`model::observed`]):
//!    [`plan::decide`] has the rules for one registration, [`plan::last_healthy`] the rule for the group;
//! 4. [`plan::progress`] turns the answers of DeregisterTargets into an outcome for each registration ([`model::outcome`]);
//! 5. [`mod@report`] has the record of each notice, the verdict, the [metrics](report::metrics), and what happens to each
//!    [message](report::disposition).
//!
//! [`history`] reads the records of past notices, and counts them for a report over days and weeks.
//!
//! To add an event form, start in `read::envelope` or [`read::event`]; an outcome, in [`model::outcome`]; a setting, in
//! [`settings`]; a figure of AWS, in [`model::limits`].

pub mod history;
pub mod model;
pub mod plan;
pub mod read;
pub mod report;
pub mod settings;
