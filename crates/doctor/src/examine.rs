//! Runs every check on every subject that it applies to.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::{Check, CheckResult, CheckScope};
use crate::checks::CHECKS;
use crate::diagnosis::{Diagnosis, Finding, NotApplicable, NotChecked};
use crate::forecast::{self, Forecast};
use crate::model::group::Group;
use crate::model::placement::OnSpot;
use crate::model::root::Deployment;
use crate::model::service::Balancer;
use crate::model::setting::{Setting, Unknown};
use crate::model::subject::{DeliverySubject, GroupSubject, ServiceSubject};

/// Examines a deployment.
#[must_use]
pub fn examine(deployment: &Deployment) -> Diagnosis {
    let mut examination = Examination::default();
    for check in CHECKS.iter().filter(|check| !matches!(check.run, CheckScope::Forecast(_))) {
        examination.run(check, deployment, &[]);
    }
    let forecasts = forecasts(deployment, &examination.findings);
    for check in CHECKS.iter().filter(|check| matches!(check.run, CheckScope::Forecast(_))) {
        examination.run(check, deployment, &forecasts);
    }
    let forecasts: Vec<_> = forecasts.into_iter().filter_map(|(_, forecast)| forecast.ok()).collect();
    let unread = deployment.unread.iter().cloned();
    let unread = unread.map(|unread| NotChecked { checks: Vec::new(), subject: unread.subject, why: unread.why });
    let mut diagnosis = examination.into_diagnosis();
    diagnosis.not_checked.splice(0..0, unread);
    diagnosis.suppress(&deployment.suppressions);
    Diagnosis {
        origin: deployment.origin,
        checks: CHECKS.len(),
        services: deployment.services.len(),
        delivery: deployment.delivery.known().is_some(),
        refused_seconds: refused_seconds(deployment, &forecasts),
        not_applicable: not_applicable(deployment),
        forecasts,
        delays: deployment.delays,
        ..diagnosis
    }
}

fn subjects(deployment: &Deployment) -> impl Iterator<Item = ServiceSubject<'_>> {
    deployment.services.iter().map(move |service| ServiceSubject { deployment, service })
}

/// A target group, and its forecast or why there is none.
type GroupForecast = (String, Result<Forecast, Unknown>);

fn forecasts(deployment: &Deployment, findings: &[Finding]) -> Vec<GroupForecast> {
    let mut forecasts = Vec::new();
    let deaf: Vec<_> = findings.iter().filter(|finding| forecast::is_of_deaf_function(finding)).collect();
    for subject in subjects(deployment) {
        let placement = match subject.on_spot() {
            OnSpot::Yes => Ok(()),
            OnSpot::No(_) => continue,
            OnSpot::Unknown(why) => Err(Unknown(why)),
        };
        for group in groups_of(subject).filter_map(Result::ok) {
            let forecast = placement.clone().and_then(|()| forecast::forecast(&group, &deaf));
            forecasts.push((group.group.place.name.clone(), forecast));
        }
    }
    forecasts
}

fn refused_seconds(deployment: &Deployment, forecasts: &[Forecast]) -> u32 {
    let is_elsewhere = matches!(deployment.delivery, Setting::Unknown(_));
    forecasts.iter().map(|forecast| forecast.outlook(is_elsewhere).refused_seconds).max().unwrap_or_default()
}

/// The services that never run on Fargate Spot, with the reason.
fn not_applicable(deployment: &Deployment) -> Vec<NotApplicable> {
    let checks = CHECKS.iter().filter(|check| check.run.is_for_spot()).count();
    let never = subjects(deployment).filter_map(|subject| match subject.on_spot() {
        OnSpot::No(why) => Some(NotApplicable { subject: subject.service.place.name.clone(), why, checks }),
        _ => None,
    });
    never.collect()
}

#[derive(Default)]
struct Examination {
    findings: Vec<Finding>,
    /// The findings by check, place and description: two services may share a target group.
    seen: BTreeSet<(&'static str, String, String)>,
    not_checked: BTreeMap<(String, String), Vec<&'static str>>,
}

impl Examination {
    fn run(&mut self, check: &'static Check, deployment: &Deployment, forecasts: &[GroupForecast]) {
        match check.run {
            CheckScope::EveryService(run) => subjects(deployment)
                .for_each(|subject| self.note(check, &subject.service.place.name, None, run(&subject))),
            CheckScope::SpotService(run) => self.on_spot(deployment, |this, subject, condition| {
                this.note(check, &subject.service.place.name, condition, run(&subject));
            }),
            CheckScope::Group(run) => self.on_spot(deployment, |this, subject, condition| {
                this.run_for_groups(check, subject, condition, run);
            }),
            CheckScope::Delivery(run) => self.run_for_delivery(check, deployment, run),
            CheckScope::Forecast(run) => {
                for (group, forecast) in forecasts {
                    let verdict = forecast.as_ref().map_err(Unknown::clone);
                    self.note(check, group, None, run(deployment, verdict));
                }
            }
        }
    }

    /// Visits the services that run on Fargate Spot, and those that may.
    fn on_spot<'a>(
        &mut self,
        deployment: &'a Deployment,
        mut visit: impl FnMut(&mut Self, ServiceSubject<'a>, Option<&str>),
    ) {
        for subject in subjects(deployment) {
            match subject.on_spot() {
                OnSpot::Yes => visit(self, subject, None),
                OnSpot::No(_) => {}
                OnSpot::Unknown(why) => visit(self, subject, Some(&why)),
            }
        }
    }

    fn run_for_delivery(
        &mut self,
        check: &'static Check,
        deployment: &Deployment,
        run: fn(&DeliverySubject<'_>) -> CheckResult,
    ) {
        match deployment.delivery.known_or_err() {
            Ok(Some(delivery)) => {
                let subject = DeliverySubject { deployment, delivery };
                self.note(check, &delivery.function.place.name, None, run(&subject));
            }
            Ok(None) => {}
            Err(why) => self.note(check, "the function", None, Err(why)),
        }
    }

    fn run_for_groups(
        &mut self,
        check: &'static Check,
        subject: ServiceSubject<'_>,
        condition: Option<&str>,
        run: fn(&GroupSubject<'_>) -> CheckResult,
    ) {
        for group in groups_of(subject) {
            match group {
                Ok(group) => self.note(check, &group.group.place.name, condition, run(&group)),
                Err(why) => {
                    self.note(check, &format!("a target group of {}", subject.service.place.name), None, Err(why));
                }
            }
        }
    }

    /// `condition` is why it is unknown whether the subject runs on Fargate Spot.
    fn note(&mut self, check: &'static Check, subject: &str, condition: Option<&str>, verdict: CheckResult) {
        match verdict {
            Ok(None) => {}
            Ok(Some(problem)) => {
                let key = (check.id, problem.place.name.clone(), problem.description.clone());
                if self.seen.insert(key) {
                    let if_on_spot = condition.map(str::to_owned);
                    self.findings.push(Finding { check, problem, if_on_spot, accepted: None });
                }
            }
            Err(Unknown(why)) => {
                let ids = self.not_checked.entry((subject.to_owned(), why)).or_default();
                if ids.last() != Some(&check.id) {
                    ids.push(check.id);
                }
            }
        }
    }

    fn into_diagnosis(mut self) -> Diagnosis {
        self.findings.sort_by_key(|finding| (finding.if_on_spot.is_some(), finding.severity()));
        let entry = |((subject, why), checks)| NotChecked { checks, subject, why };
        let not_checked = self.not_checked.into_iter().map(entry).collect();
        Diagnosis { findings: self.findings, not_checked, ..Diagnosis::default() }
    }
}

/// Every target group of a service; of a blue/green service both.
fn groups_of(subject: ServiceSubject<'_>) -> impl Iterator<Item = Result<GroupSubject<'_>, Unknown>> {
    let (balancers, unknown) = match &subject.service.balancers {
        Setting::Set(balancers) => (balancers.as_slice(), None),
        Setting::Default => (&[][..], None),
        Setting::Unknown(why) => (&[][..], Some(Err(Unknown(why.clone())))),
    };
    balancers.iter().flat_map(move |balancer| both(subject, balancer)).chain(unknown)
}

fn both<'a>(
    subject: ServiceSubject<'a>,
    balancer: &'a Balancer,
) -> impl Iterator<Item = Result<GroupSubject<'a>, Unknown>> {
    let alternate = balancer.alternate.known();
    let at = move |group: &'a Group, alternate| GroupSubject { of: subject, balancer, group, alternate };
    let first = balancer.group.known_or_err().map(|group| group.map(|group| at(group, alternate)));
    let second = balancer.alternate.known_or_err().map(|group| group.map(|group| at(group, None)));
    [first, second].into_iter().filter_map(Result::transpose)
}
