//! The rules as stories: inputs at certain seconds, and the actions that follow.

use std::time::Duration;

use spotdrain_hold::health::{ApplicationHealth, Cause};
use spotdrain_hold::log::record::{Counts, LogRecord};
use spotdrain_hold::process::child::Ending;
use spotdrain_hold::process::signal::Signal;
use spotdrain_hold::rules::{HoldAction, HoldState, Input, Reason, Rules, Sample};

const UP: ApplicationHealth = ApplicationHealth::Answers(200);
const SILENT: Input = sampled(0, 0);

fn rules() -> Rules {
    let seconds = Duration::from_secs;
    let (quiet, min_hold, max_hold) = (seconds(10), seconds(5), seconds(20));
    let (ignore_empty, exit_code) = (false, None);
    Rules { stop: Signal::TERM, forward: signal("QUIT"), quiet, min_hold, max_hold, ignore_empty, exit_code }
}

fn signal(name: &str) -> Signal {
    Signal::parse(name).unwrap()
}

const fn sampled(established: usize, new: u64) -> Input {
    Input::Sampled(Some(Sample { established, new, datagrams: None, work_in_progress: None }))
}

/// Feeds inputs with their seconds, and returns all actions with theirs.
fn replay(rules: Rules, story: &[(u64, Input)]) -> Vec<(u64, HoldAction)> {
    let (mut state, mut done) = (HoldState::default(), Vec::new());
    for (second, input) in story {
        let (next, actions) = rules.step(state, *input, Duration::from_secs(*second));
        state = next;
        done.extend(actions.into_iter().map(|action| (*second, action)));
    }
    done
}

/// The signals that the application gets, and when.
fn sent(rules: Rules, story: &[(u64, Input)]) -> Vec<(u64, Signal)> {
    let only = |(second, action)| if let HoldAction::Forward(signal) = action { Some((second, signal)) } else { None };
    replay(rules, story).into_iter().filter_map(only).collect()
}

/// When and why the stop signal was forwarded.
fn forwarded(story: &[(u64, Input)]) -> Option<(u64, Reason)> {
    replay(rules(), story).into_iter().find_map(|(second, action)| match action {
        HoldAction::Log(LogRecord::Forward { reason, .. }) => Some((second, reason)),
        _ => None,
    })
}

const STOP: Input = Input::Signal(Signal::TERM);

#[test]
fn the_stop_signal_fails_the_health_check_and_is_not_forwarded() {
    let done = replay(rules(), &[(3, STOP)]);
    let line = LogRecord::Stopping { signal: Signal::TERM, max_hold_ms: 20_000 };
    let failing = HoldAction::SetHealth(ApplicationHealth::NoAnswer(Cause::Stopping));
    assert_eq!(done, [(3, failing), (3, HoldAction::BeginHold), (3, HoldAction::Log(line))]);
}

#[test]
fn every_other_signal_is_passed_on_at_once() {
    let others = [(1, Input::Signal(signal("HUP"))), (2, STOP), (3, Input::Signal(signal("USR1")))];
    assert_eq!(sent(rules(), &others), [(1, signal("HUP")), (3, signal("USR1"))]);
}

#[test]
fn a_second_stop_signal_is_forwarded_at_once_and_a_third_too() {
    let story = [(0, STOP), (1, STOP), (2, STOP), (60, Input::Tick)];
    assert_eq!(sent(rules(), &story), [(1, signal("QUIT")), (2, signal("QUIT"))]);
    assert_eq!(forwarded(&story), Some((1, Reason::SecondSignal)));
}

#[test]
fn it_is_forwarded_when_the_port_has_been_quiet_for_long_enough() {
    assert_eq!(forwarded(&[(0, STOP), (0, SILENT), (9, SILENT)]), None);
    assert_eq!(forwarded(&[(0, STOP), (0, SILENT), (9, SILENT), (10, SILENT)]), Some((10, Reason::Quiet)));
}

#[test]
fn time_without_a_sample_is_not_quiet() {
    assert_eq!(forwarded(&[(0, STOP), (0, SILENT), (15, Input::Tick)]), None);
    assert_eq!(forwarded(&[(0, STOP), (0, SILENT), (9, Input::Sampled(None)), (15, SILENT)]), None);
}

#[test]
fn an_established_connection_is_not_quiet() {
    let story = [(0, STOP), (0, sampled(1, 0)), (5, sampled(1, 0)), (6, SILENT), (15, SILENT), (16, SILENT)];
    assert_eq!(forwarded(&story), Some((16, Reason::Quiet)));
}

#[test]
fn a_connection_that_came_and_went_between_two_looks_is_not_quiet() {
    let story = [(0, STOP), (0, SILENT), (4, sampled(0, 1)), (13, sampled(0, 1)), (14, sampled(0, 1))];
    assert_eq!(forwarded(&story), Some((14, Reason::Quiet)));
}

#[test]
fn the_minimum_hold_is_kept_although_it_is_quiet() {
    let rules = Rules { min_hold: Duration::from_secs(15), ..rules() };
    let story: Vec<_> = std::iter::once((0, STOP)).chain((0..18).map(|second| (second, SILENT))).collect();
    assert_eq!(sent(rules, &story), [(15, signal("QUIT"))]);
}

#[test]
fn the_maximum_hold_ends_whatever_is_sampled() {
    for input in [Input::Tick, sampled(7, 7), Input::Sampled(None), Input::Checked(UP)] {
        assert_eq!(
            forwarded(&[(1, STOP), (1, sampled(7, 0)), (20, sampled(7, 3)), (21, input)]),
            Some((21, Reason::MaxHold))
        );
    }
}

#[test]
fn the_end_of_the_maximum_hold_is_a_deadline() {
    let (state, _) = rules().step(HoldState::default(), STOP, Duration::from_secs(1));
    assert_eq!(rules().deadline(&state), Some(Duration::from_secs(21)));
    assert_eq!((rules().deadline(&HoldState::default()), state.is_sampling()), (None, true));
}

#[test]
fn the_health_is_shown_and_logged_when_it_changes() {
    let down = ApplicationHealth::Answers(500);
    let done = replay(rules(), &[(0, Input::Checked(UP)), (5, Input::Checked(UP)), (10, Input::Checked(down))]);
    let line = |healthy, found: &str| HoldAction::Log(LogRecord::Health { healthy, found: found.to_owned() });
    let expected = [
        (0, HoldAction::SetHealth(UP)),
        (0, line(true, "answers 200")),
        (10, HoldAction::SetHealth(down)),
        (10, line(false, "answers 500")),
    ];
    assert_eq!(done, expected);
}

#[test]
fn the_result_of_a_late_check_is_not_shown_after_the_stop_signal() {
    let done = replay(
        rules(),
        &[(0, Input::Checked(UP)), (1, STOP), (2, Input::Checked(UP)), (3, STOP), (4, Input::Checked(UP))],
    );
    let shown: Vec<_> = done.iter().filter(|(_, action)| matches!(action, HoldAction::SetHealth(_))).collect();
    assert_eq!(shown.last(), Some(&&(1, HoldAction::SetHealth(ApplicationHealth::NoAnswer(Cause::Stopping)))));
}

#[test]
fn the_last_record_has_the_number_of_new_connections_and_the_time_of_the_last() {
    let samples =
        [(0, sampled(2, 0)), (3, sampled(1, 4)), (7, sampled(0, 5)), (17, sampled(0, 5)), (18, sampled(1, 6))];
    let story = [(0, STOP)].into_iter().chain(samples).chain([(19, Input::Exited(Ending::Code(3)))]);
    let done = replay(rules(), &story.collect::<Vec<_>>());
    let record = |action: &HoldAction| match action {
        HoldAction::Log(LogRecord::Exited { code: 3, counts: Some(counts), new_after_forward: Some(1), .. }) => {
            Some(*counts)
        }
        _ => None,
    };
    let counts = Counts {
        after_ms: 19_000,
        established: Some(1),
        new: 6,
        last_new_after_ms: Some(18_000),
        datagrams: None,
        checks_only: false,
        work_in_progress: None,
    };
    assert_eq!(done.last(), Some(&(19, HoldAction::Exit(3))));
    assert_eq!(record(&done[done.len() - 2].1), Some(counts));
}

#[test]
fn an_application_that_ends_by_itself_ends_the_hold() {
    for (ending, code) in
        [(Ending::Code(0), 0), (Ending::Code(7), 7), (Ending::Signal(9), 137), (Ending::Signal(64), 192)]
    {
        for story in [
            vec![(0, Input::Exited(ending))],
            vec![(0, STOP), (0, Input::Exited(ending)), (1, Input::Exited(ending)), (99, STOP)],
        ] {
            let done = replay(rules(), &story);
            assert_eq!(done.last(), Some(&(0, HoldAction::Exit(code))), "{ending:?}");
        }
    }
}

/// The last record of a story with these rules.
fn exited(rules: Rules, story: &[(u64, Input)]) -> LogRecord {
    let mut records = replay(rules, story).into_iter().filter_map(|(_, action)| match action {
        HoldAction::Log(record @ LogRecord::Exited { .. }) => Some(record),
        _ => None,
    });
    records.next_back().unwrap()
}

#[test]
fn datagrams_are_not_quiet() {
    let sample = |datagrams| Input::Sampled(Some(Sample { datagrams: Some(datagrams), ..Sample::default() }));
    let story = [(0, STOP), (0, sample(0)), (4, sample(7)), (13, sample(7)), (14, sample(7))];
    assert_eq!(forwarded(&story), Some((14, Reason::Quiet)));
    let last = exited(rules(), &[&story[..], &[(15, Input::Exited(Ending::Code(0)))]].concat());
    let LogRecord::Exited { counts: Some(counts), .. } = last else { panic!("{last:?}") };
    assert_eq!((counts.datagrams, counts.last_new_after_ms), (Some(7), Some(4000)));
}

#[test]
fn work_in_progress_is_not_quiet() {
    let sample = |work| Input::Sampled(Some(Sample { work_in_progress: Some(work), ..Sample::default() }));
    let story =
        [(0, STOP), (0, sample(true)), (5, sample(false)), (9, sample(true)), (10, sample(false)), (19, sample(false))];
    assert_eq!(forwarded(&story), None);
    let eager = Rules { quiet: Duration::ZERO, ..rules() };
    assert_eq!(sent(eager, &story), [(5, signal("QUIT"))]);
}

#[test]
fn connections_that_were_gone_at_the_next_sample_can_be_ignored() {
    let checks = [(0, STOP), (0, SILENT), (4, sampled(0, 1)), (8, sampled(0, 2)), (10, sampled(0, 3))];
    assert_eq!(forwarded(&checks), None);
    let ignoring = Rules { ignore_empty: true, ..rules() };
    assert_eq!(sent(ignoring, &checks), [(10, signal("QUIT"))]);
    let used = [(0, STOP), (0, SILENT), (4, sampled(1, 1)), (8, sampled(0, 1)), (10, sampled(0, 1))];
    assert_eq!(sent(ignoring, &used), []);
}

#[test]
fn the_last_record_says_when_every_new_connection_was_gone_at_the_next_sample() {
    for (samples, expected) in [
        ([sampled(0, 0), sampled(0, 0)], false),
        ([sampled(0, 0), sampled(0, 3)], true),
        ([sampled(2, 0), sampled(0, 3)], true),
        ([sampled(0, 3), sampled(1, 3)], false),
        ([sampled(1, 1), sampled(0, 2)], false),
    ] {
        let story = [(0, STOP), (1, samples[0]), (2, samples[1]), (3, Input::Exited(Ending::Code(0)))];
        let last = exited(rules(), &story);
        let LogRecord::Exited { counts: Some(counts), .. } = last else { panic!("{last:?}") };
        assert_eq!(counts.checks_only, expected, "{samples:?}");
    }
}

#[test]
fn an_application_that_ends_soon_after_another_signal_may_have_another_stop_signal() {
    let ended = |at| Input::Exited(Ending::Code(at));
    let quit = (1, Input::Signal(signal("QUIT")));
    for (story, expected) in [
        (vec![quit, (3, ended(0))], Some(signal("QUIT"))),
        (vec![(0, Input::Signal(signal("HUP"))), quit, (11, ended(0))], Some(signal("QUIT"))),
        (vec![quit, (12, ended(0))], None),
        (vec![quit, (2, STOP), (3, ended(0))], None),
        (vec![(3, ended(0))], None),
    ] {
        let done = replay(rules(), &story);
        let warnings: Vec<_> =
            done.iter().filter(|(_, action)| matches!(action, HoldAction::Log(LogRecord::Warning { .. }))).collect();
        assert_eq!(warnings.len(), usize::from(expected.is_some()), "{story:?}");
        let last = exited(rules(), &story);
        assert!(matches!(last, LogRecord::Exited { not_held, .. } if not_held == expected), "{last:?}");
        assert_eq!(done.last().unwrap().1, HoldAction::Exit(0));
    }
}

#[test]
fn the_exit_code_is_replaced_only_if_the_stop_signal_ended_the_application() {
    let rules = Rules { exit_code: Some(75), ..rules() };
    let forwarded = vec![(0, STOP), (1, STOP)];
    for (before, ending, code) in [
        (&forwarded, Ending::Code(0), 75),
        (&forwarded, Ending::Signal(3), 75),
        (&forwarded, Ending::Code(131), 75),
        (&forwarded, Ending::Code(1), 1),
        (&forwarded, Ending::Signal(11), 139),
        (&forwarded, Ending::Signal(9), 137),
        (&vec![(0, STOP)], Ending::Code(0), 0),
        (&vec![(0, STOP)], Ending::Code(1), 1),
        (&vec![], Ending::Code(0), 0),
        (&vec![], Ending::Signal(3), 131),
    ] {
        let story = [&before[..], &[(2, Input::Exited(ending))]].concat();
        assert_eq!(replay(rules, &story).last(), Some(&(2, HoldAction::Exit(code))), "{story:?}");
        let LogRecord::Exited { application_code, .. } = exited(rules, &story) else { panic!() };
        assert_eq!(application_code, Some(ending.code()).filter(|own| *own != code));
    }
}

#[test]
fn the_rest_of_the_group_gets_the_grace_after_the_stop_signal_was_forwarded() {
    let (grace, second) = (Duration::from_secs(10), Duration::from_secs);
    let (holding, _) = rules().step(HoldState::default(), STOP, second(1));
    let (forwarded, _) = rules().step(holding, STOP, second(2));
    let leaves_time = [(HoldState::default(), 1), (holding, 1), (forwarded, 11), (forwarded, 12)]
        .map(|(state, now)| state.leaves_time(grace, second(now)));
    assert_eq!(leaves_time, [false, false, true, false]);
}
