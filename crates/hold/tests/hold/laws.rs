//! What holds in every history of signals, samples, checks and exits.

use std::time::Duration;

use proptest::prelude::*;
use spotdrain_hold::health::{ApplicationHealth, Cause};
use spotdrain_hold::log::record::{Counts, LogRecord};
use spotdrain_hold::process::child::Ending;
use spotdrain_hold::process::signal::Signal;
use spotdrain_hold::rules::{HoldAction, HoldState, Input, Reason, Rules, Sample};

type Moment = (Duration, Input, Vec<HoldAction>);
type Forwarded = (Duration, Reason, Counts);

fn input() -> impl Strategy<Value = Input> {
    let health = prop_oneof![
        Just(ApplicationHealth::Answers(200)),
        Just(ApplicationHealth::Answers(500)),
        Just(ApplicationHealth::NoAnswer(Cause::Refused))
    ];
    prop_oneof![
        8 => (0..3_usize, 0..3_u64, 0..3_u64).prop_map(|(established, new, datagrams)| sampled(established, new, Some(datagrams), None)),
        6 => prop_oneof![Just(None), Just(Some(false)), Just(Some(true))].prop_map(|work| sampled(0, 0, None, work)),
        1 => Just(Input::Sampled(None)),
        2 => Just(Input::Signal(Signal::TERM)),
        2 => prop_oneof![Just("HUP"), Just("QUIT"), Just("USR1")].prop_map(|name| Input::Signal(Signal::parse(name).unwrap())),
        2 => health.prop_map(Input::Checked),
        2 => Just(Input::Tick),
        1 => prop_oneof![Just(Ending::Code(3)), Just(Ending::Signal(9))].prop_map(Input::Exited),
    ]
}

fn sampled(established: usize, new: u64, datagrams: Option<u64>, work_in_progress: Option<bool>) -> Input {
    Input::Sampled(Some(Sample { established, new, datagrams, work_in_progress }))
}

fn rules() -> impl Strategy<Value = Rules> {
    let exit_code = prop_oneof![Just(None), Just(Some(75))];
    (1..40_u64, 0..40_u64, 0..40_u64, exit_code).prop_map(|(max, quiet, min, exit_code)| {
        let seconds = |number: u64| Duration::from_secs(number.min(max));
        let forward = Signal::parse("INT").unwrap();
        let (quiet, min_hold, max_hold) = (seconds(quiet), seconds(min), seconds(max));
        Rules { stop: Signal::TERM, forward, quiet, min_hold, max_hold, ignore_empty: false, exit_code }
    })
}

/// Plays inputs, each with its pause in milliseconds; returns them with the actions. The counters never go back.
fn history(rules: Rules, story: Vec<(u64, Input)>) -> Vec<Moment> {
    let (mut state, mut now, mut all, mut received) = (HoldState::default(), Duration::ZERO, 0, 0);
    let mut moments = Vec::new();
    for (pause, input) in story {
        now += Duration::from_millis(pause);
        let input = match input {
            Input::Sampled(Some(sample)) => {
                all += sample.new;
                received += sample.datagrams.unwrap_or(0);
                let datagrams = sample.datagrams.map(|_| received);
                Input::Sampled(Some(Sample { new: all, datagrams, ..sample }))
            }
            other => other,
        };
        let (next, actions) = rules.step(state, input, now);
        state = next;
        moments.push((now, input, actions));
    }
    moments
}

fn histories() -> impl Strategy<Value = (Rules, Vec<Moment>)> {
    let story = proptest::collection::vec((0..4000_u64, input()), 0..60);
    (rules(), story).prop_map(|(rules, story)| (rules, history(rules, story)))
}

fn is_stop(moment: &Moment) -> bool {
    moment.1 == Input::Signal(Signal::TERM)
}

fn ended_at(moments: &[Moment]) -> usize {
    let is_end = |moment: &Moment| matches!(moment.1, Input::Exited(_));
    moments.iter().position(is_end).map_or(moments.len(), |place| place + 1)
}

/// When the stop signal came, and when and why it was forwarded.
fn hold(moments: &[Moment]) -> Option<(Duration, Option<Forwarded>)> {
    let stop = moments.iter().find(|moment| is_stop(moment))?.0;
    let forwarded = moments.iter().find_map(|(now, _, actions)| {
        actions.iter().find_map(|action| match action {
            HoldAction::Log(LogRecord::Forward { reason, counts, .. }) => Some((*now, *reason, *counts)),
            _ => None,
        })
    });
    Some((stop, forwarded))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_signal_but_the_first_stop_is_sent_once_and_that_one_once_at_most((rules, moments) in histories()) {
        let living = &moments[..ended_at(&moments)];
        let count = |is_it: &dyn Fn(Signal) -> bool, sent: bool| {
            let came = living.iter().filter(|moment| matches!(moment.1, Input::Signal(signal) if is_it(signal))).count();
            let actions = living.iter().flat_map(|moment| &moment.2);
            let went = actions.filter(|action| matches!(action, HoldAction::Forward(signal) if is_it(*signal))).count();
            if sent { went } else { came }
        };
        let other = |signal: Signal| signal != rules.stop && signal != rules.forward;
        prop_assert_eq!(count(&other, false), count(&other, true));
        let (stops, sent) = (count(&|signal| signal == rules.stop, false), count(&|signal| signal == rules.forward, true));
        prop_assert!(count(&|signal| signal == rules.stop, true) == 0, "the application gets the other signal instead");
        prop_assert!(sent == stops || sent + 1 == stops, "{} of {}", sent, stops);
    }

    #[test]
    fn it_is_never_held_longer_than_the_maximum((rules, moments) in histories()) {
        let Some((stop, forwarded)) = hold(&moments) else { return Ok(()) };
        let late = moments[..ended_at(&moments)].iter().find(|moment| moment.0 >= stop + rules.max_hold && moment.0 >= stop);
        if let Some((now, _, _)) = late.filter(|moment| !matches!(moment.1, Input::Exited(_))) {
            prop_assert!(forwarded.is_some_and(|(forwarded, _, _)| forwarded <= *now));
        }
    }

    #[test]
    fn it_is_held_for_the_minimum_unless_a_second_signal_comes((rules, moments) in histories()) {
        if let Some((stop, Some((forwarded, reason, _)))) = hold(&moments) {
            prop_assert!(reason == Reason::SecondSignal || forwarded.saturating_sub(stop) >= rules.min_hold);
            let stops = moments.iter().filter(|moment| is_stop(moment) && moment.0 <= forwarded).count();
            prop_assert!(reason != Reason::SecondSignal || stops >= 2);
        }
    }

    #[test]
    fn quiet_means_that_nothing_happened_in_the_quiet_time((rules, moments) in histories()) {
        let Some((stop, Some((forwarded, Reason::Quiet, _)))) = hold(&moments) else { return Ok(()) };
        let (mut before, mut received) = (None, 0);
        let mut samples = 0;
        for (now, input, _) in moments.iter().filter(|moment| moment.0 >= stop && moment.0 <= forwarded) {
            let Input::Sampled(sample) = input else { continue };
            if forwarded.saturating_sub(*now) < rules.quiet {
                prop_assert!(sample.is_some_and(|sample| sample.established == 0), "a connection, or no sample");
                let sample = sample.unwrap();
                prop_assert!(sample.work_in_progress != Some(true), "work in progress");
                let new = (sample.new, sample.datagrams.unwrap_or(received));
                prop_assert!(before.is_none_or(|before| before == new), "a new connection or datagram");
                (before, received) = (Some(new), new.1);
            }
            samples += 1;
        }
        prop_assert!(samples > 0, "never without a sample");
    }

    #[test]
    fn after_the_stop_signal_the_endpoint_always_fails((_rules, moments) in histories()) {
        let after = moments.iter().skip_while(|moment| !is_stop(moment)).flat_map(|moment| &moment.2);
        let mut shown = after.filter_map(|action| if let HoldAction::SetHealth(health) = action { Some(*health) } else { None });
        prop_assert!(shown.all(|health| health == ApplicationHealth::NoAnswer(Cause::Stopping)));
    }

    #[test]
    fn it_ends_when_the_application_does_and_never_hides_a_crash((rules, moments) in histories()) {
        let was_forwarded = hold(&moments).is_some_and(|(_, forwarded)| forwarded.is_some());
        for (place, (_, input, actions)) in moments.iter().enumerate() {
            let exits: Vec<_> = actions.iter().filter(|action| matches!(action, HoldAction::Exit(_))).collect();
            match input {
                Input::Exited(ending) if place + 1 == ended_at(&moments) => {
                    let is_stopped = was_forwarded && matches!(ending, Ending::Code(0));
                    let code = rules.exit_code.filter(|_| is_stopped).unwrap_or(ending.code());
                    prop_assert_eq!(exits, [&HoldAction::Exit(code)]);
                    prop_assert_eq!(actions.last(), Some(&HoldAction::Exit(code)));
                }
                _ => prop_assert!(exits.is_empty()),
            }
            prop_assert!(place < ended_at(&moments) || actions.is_empty(), "no action after the end");
        }
    }

    #[test]
    fn the_last_record_counts_what_was_sampled((_rules, moments) in histories()) {
        let living = &moments[..ended_at(&moments)];
        let Some(stop) = living.iter().find(|moment| is_stop(moment)).map(|moment| moment.0) else { return Ok(()) };
        let line = living.iter().flat_map(|moment| &moment.2).find_map(|action| match action {
            HoldAction::Log(LogRecord::Exited { counts: Some(counts), .. }) => Some(*counts),
            _ => None,
        });
        let Some(counts) = line else { return Ok(()) };
        let since = living.iter().skip_while(|moment| !is_stop(moment));
        let samples: Vec<_> = since.filter_map(|(now, input, _)| match input {
            Input::Sampled(Some(sample)) => Some((*now, sample.new, sample.datagrams.unwrap_or(0))),
            _ => None,
        }).collect();
        let last = samples.iter().scan((0, 0), |before, (now, new, datagrams)| {
            let is_new = *new > before.0 || *datagrams > before.1;
            *before = (before.0.max(*new), before.1.max(*datagrams));
            Some((is_new, *now))
        }).filter(|(is_new, _)| *is_new).last();
        prop_assert_eq!(counts.new, samples.last().map_or(0, |(_, new, _)| *new));
        prop_assert_eq!(counts.last_new_after_ms.map(u128::from), last.map(|(_, now)| now.saturating_sub(stop).as_millis()));
    }
}
